import * as z from "zod";
import type { ZodOpenApiOverride } from "zod-openapi";
import { CERTAINTY_WORDS, type MinCertainty } from "./certainty.js";
import { executionDateAsShown } from "./execution-date.js";
import { parseMoment } from "./moment.js";

/** The blanks that do not count around a value, here and in raw data. */
const BLANKS = " \t\n\v\f\r";

/** A text without the blanks around it. A pattern would take quadratic time for blanks within a long text. */
export function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && BLANKS.includes(text.charAt(start))) start += 1;
  while (end > start && BLANKS.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

const MOMENT_MESSAGE = "must be a valid date and time, for example 2022-03-01 00:00:00";

/** A moment or a day, in UTC if it has no offset. */
export const moment = z.string("must be text").transform((text, context) => {
  const read = parseMoment(trimmed(text));
  if (read !== undefined) return read;
  context.addIssue({ code: "custom", message: MOMENT_MESSAGE });
  return z.NEVER;
});

/** The same for OpenAPI. */
export const documentedMoment = moment.meta({
  override: {
    anyOf: [
      { type: "string", format: "date-time" },
      { type: "string", format: "date" },
    ],
  },
});

/** An execution date, in every form that the service shows. */
export const executionDate = z
  .string("must be text")
  .transform((text, context) => {
    const read = executionDateAsShown(text);
    if (read !== undefined) return read;
    context.addIssue({
      code: "custom",
      message: "must be a day or a moment in UTC, for example 2020-05-29 or 2020-05-29T06:00:00Z",
    });
    return z.NEVER;
  })
  .meta({
    description:
      "The execution date of a publication, in UTC. The other forms that the service shows are also valid, " +
      "for example 2020-05-29T000000 or 29 May 2020",
    override: {
      anyOf: [
        { type: "string", format: "date" },
        { type: "string", format: "date-time", pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$" },
      ],
    },
  });

/** A whole number in a query: digits. */
export function wholeNumberText(minimum: number, maximum: number): z.ZodType<number, string> {
  const message = `must be a whole number from ${minimum.toString()} to ${maximum.toString()}`;
  return z
    .string(message)
    .regex(/^[0-9]{1,10}$/, message)
    .transform(Number)
    .refine((number) => number >= minimum && number <= maximum, message)
    .meta({
      override: ({ jsonSchema }: Parameters<ZodOpenApiOverride>[0]) => {
        delete jsonSchema.pattern;
        Object.assign(jsonSchema, { type: "integer", minimum, maximum });
      },
    });
}

/** The words for a lowest certainty. */
const LEAST_WORDS = CERTAINTY_WORDS.filter((word) => word !== "toss-up");
const CERTAINTY_MESSAGE = `must be a chance from 0 to 1, or ${LEAST_WORDS.join(" or ")}`;

/** A number in JSON. */
const NUMBER = /^-?\d{1,32}(\.\d{1,400})?(e[+-]?\d{1,4})?$/i;

/** The lowest certainty of answers in a query: a chance or a word. */
export const minCertainty: z.ZodType<MinCertainty, string> = z
  .string(CERTAINTY_MESSAGE)
  .transform((text, context): MinCertainty => {
    const word = LEAST_WORDS.find((name) => name === text);
    if (word !== undefined) return word;
    const chance = NUMBER.test(text) ? Number(text) : NaN;
    if (chance >= 0 && chance <= 1) return chance;
    context.addIssue({ code: "custom", message: CERTAINTY_MESSAGE });
    return z.NEVER;
  })
  .meta({
    override: ({ jsonSchema }: Parameters<ZodOpenApiOverride>[0]) => {
      delete jsonSchema.type;
      jsonSchema.anyOf = [{ type: "number", minimum: 0, maximum: 1 }, { enum: [...LEAST_WORDS] }];
    },
  });

/** True or false in a query. */
export const flagText = z
  .enum(["true", "false"], "must be true or false")
  .transform((text) => text === "true");
