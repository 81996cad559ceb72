import * as z from "zod";
import { parseRulesFile } from "./rules-file.js";

/** The certainty of an answer in words for people, the most certain first. */
export const CERTAINTY_WORDS = ["sure", "likely", "toss-up"] as const;
export type CertaintyWord = (typeof CERTAINTY_WORDS)[number];

/** The certainty of an answer, computed by the SQL of its publication: docs/certainty.md. */
export interface Certainty {
  /** The chance that the same amount would win again, from 0 to 1. */
  readonly chance: number;
  readonly word: CertaintyWord;
}

const chance = z.number().gt(0).lt(1);

const scaleSchema = z
  .strictObject({
    description: z.string(),
    words: z.tuple([
      z.strictObject({ name: z.literal("sure"), at_least: chance }),
      z.strictObject({ name: z.literal("likely"), at_least: chance }),
      z.strictObject({ name: z.literal("toss-up") }),
    ]),
  })
  .refine(({ words: [sure, likely] }) => likely.at_least < sure.at_least, {
    path: ["words", 1, "at_least"],
    message: "'likely' must be less than 'sure'",
  });

/** The lowest chance for each word. `sql/<version>/certainty.json` defines it for SQL and API alike. */
export type CertaintyScale = Readonly<z.infer<typeof scaleSchema>>;

/** The file of a SQL version that defines the words of certainty. */
export const CERTAINTY_FILE = "certainty.json";

/**
 * Reads the words of certainty from the text of their file.
 * @param file its name in messages.
 * @throws PipelineError INVALID_MODEL if it is malformed, naming file and place.
 */
export function parseCertaintyScale(text: string, file: string): CertaintyScale {
  return parseRulesFile(scaleSchema, text, file);
}

/** The number of answers with each word. */
export type CertaintyCounts = Readonly<Record<CertaintyWord, number>>;

/** Counts answers by their words; undefined if the certainty of any is unknown, as in publications of older SQL. */
export function countByWord(certainties: Iterable<Certainty | undefined>): CertaintyCounts | undefined {
  const counts = { sure: 0, likely: 0, "toss-up": 0 };
  for (const certainty of certainties) {
    if (certainty === undefined) return undefined;
    counts[certainty.word] += 1;
  }
  return counts;
}

/** The lowest certainty for an answer: a chance from 0 to 1, or a word. A surer word also fits. */
export type MinCertainty = number | Exclude<CertaintyWord, "toss-up">;

/** Whether an answer is certain enough. An answer with an unknown certainty is not. */
export function isCertainEnough(certainty: Certainty | undefined, minimum: MinCertainty): boolean {
  if (certainty === undefined) return false;
  if (typeof minimum === "number") return certainty.chance >= minimum;
  return CERTAINTY_WORDS.indexOf(certainty.word) <= CERTAINTY_WORDS.indexOf(minimum);
}
