import * as z from "zod";
import { BASES } from "../../voucher/decision.js";
import { SEGMENT_KINDS } from "../../voucher/segment-rules.js";
import { certaintyFields, noneFields } from "./answer-schema.js";
import { certaintyCounts } from "./runs-routes.js";

const count = z.int().min(0);
const totalAmount = count.meta({ description: "The sum of the amounts, in whole currency units" });

/** The fields that are added to a line of a file of customers, in their order. */
const resultShape = {
  segment: z.string().nullable().meta({ description: "The customer's segment", example: "13-37" }),
  voucher_amount: z
    .int()
    .nullable()
    .meta({ description: "In whole currency units; null if there is none, or if the line is at fault" }),
  ...certaintyFields,
  basis: z.enum(BASES).nullable().meta({ description: "The amount rests on this" }),
  none_because: noneFields.none_because.nullable(),
  nearest_countries: noneFields.nearest_countries.nullable(),
  error: z
    .string()
    .nullable()
    .meta({ description: "The fault of the line, with its number in the file; null if there is none" }),
};

/** A line of a file of customers with its answer: its own fields first, then those of the result. */
export const pricedLineSchema = z.looseObject(resultShape).meta({ id: "PricedLine" });

/** The result of a line. */
export type PricedResult = z.output<z.ZodObject<typeof resultShape>>;

export const RESULT_FIELDS = Object.keys(resultShape) as readonly (keyof PricedResult)[];

const groupSchema = z.object({
  country_code: z.string().nullable().meta({ description: "null: all that the publication does not know" }),
  segment_name: z.enum(SEGMENT_KINDS),
  segment: z.string(),
  customers: count,
  priced: count.meta({ description: "Customers with an amount" }),
  total_amount: totalAmount,
});

/** The totals of a file of customers. */
export const priceSummarySchema = z
  .object({
    lines: count,
    priced: count.meta({ description: "Lines with an amount" }),
    without_amount: count.meta({ description: "Lines of customers for whom there is no amount" }),
    faulty: count.meta({ description: "Lines with an error" }),
    total_amount: totalAmount,
    certainty: certaintyCounts.meta({
      description: "Lines with an amount of the segment, by the word of its certainty",
    }),
    unread: z
      .string()
      .optional()
      .meta({ description: "Why the rest of the file could not be read; the totals are without it" }),
    groups: z.array(groupSchema).optional(),
    groups_omitted: z
      .literal(true)
      .optional()
      .meta({ description: "The trailer field has no room for them" }),
  })
  .meta({ id: "PriceSummary" });

export type PriceGroup = z.output<typeof groupSchema>;
export type PriceSummary = z.output<typeof priceSummarySchema>;
