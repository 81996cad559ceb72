import * as z from "zod";
import { CERTAINTY_WORDS } from "../../voucher/certainty.js";
import { BASES, FALLBACKS, NONE_REASONS } from "../../voucher/decision.js";
import {
  documentedMoment,
  executionDate,
  flagText,
  minCertainty,
  wholeNumberText,
} from "../../voucher/field-schemas.js";
import type { Publication } from "../../voucher/publication-identity.js";
import { SEGMENT_KINDS } from "../../voucher/segment-rules.js";
import { NAMES_EXPLAINED } from "./unknown-countries.js";

/** A publication in the form of the api. */
export const publicationSchema = z
  .object({
    execution_date: z.string().meta({ format: "date-time", example: "2020-05-29T00:00:00Z" }),
    run_id: z.string().meta({ description: "The run that made it" }),
    sql_version: z.string().meta({ example: "v1" }),
    sql_hash: z.string().meta({ description: "SHA-256 of the SQL that made it" }),
    data_hash: z.string().meta({ description: "SHA-256 of the files it was published from" }),
    published_at: z.string().meta({ format: "date-time" }),
    row_counts: z.record(z.string(), z.int()).meta({ description: "The rows of each published table" }),
    rows: z
      .record(z.string(), z.int())
      .meta({ description: "The same as row_counts, under its former name", deprecated: true }),
  })
  .meta({ id: "Publication" });

type PublicationDocument = z.input<typeof publicationSchema>;

/** The document of a publication. */
export function publicationDocument(publication: Publication): PublicationDocument {
  return {
    execution_date: publication.executionDate.iso,
    run_id: publication.runId,
    sql_version: publication.sqlVersion,
    sql_hash: publication.sqlHash,
    data_hash: publication.dataHash,
    published_at: publication.publishedAt,
    row_counts: { ...publication.rowCounts },
    rows: { ...publication.rowCounts },
  };
}

const MAX_ASSIGNMENTS = 1_000_000_000;

/** The options of every answer of `/v1`. */
export const answerOptions = {
  as_of: documentedMoment.optional().meta({
    description: "The day that recency counts to, in UTC, for example 2020-05-29; today by default",
  }),
  execution_date: executionDate.optional(),
  explain: flagText.optional().meta({ description: "Adds the receipt: the basis of the answer" }),
  fallback: z
    .enum(FALLBACKS, `must be ${FALLBACKS.join(" or ")}`)
    .optional()
    .meta({
      description: "country: if the segment has no answer, give the amount that the country uses most",
    }),
  min_assignments: wholeNumberText(1, MAX_ASSIGNMENTS)
    .optional()
    .meta({ description: "A segment with fewer vouchers has no answer; 1 by default" }),
  min_certainty: minCertainty.optional().meta({
    description:
      "A segment whose answer is less certain has no answer: a chance from 0 to 1, or sure, or likely (which includes " +
      "sure)",
  }),
};

const amount = z.int().positive().meta({ description: "In whole currency units", example: 2640 });
const count = z.int().min(0);

/** The certainty of an answer, in all responses. */
export const certaintyFields = {
  certainty: z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .meta({ description: "The chance that the same amount would win again; null if it is not known" }),
  certainty_word: z.enum(CERTAINTY_WORDS).nullable().meta({ description: "The same in a word" }),
};

/** The reason for no amount, in all responses. */
export const noneFields = {
  none_because: z.enum(NONE_REASONS).meta({
    description:
      "Why there is no amount: the country is unknown, it has no voucher in the segment, it has fewer than " +
      "min_assignments, or the answer is less certain than min_certainty",
  }),
  nearest_countries: z.array(z.string()).meta({
    description:
      "If the country is unknown: up to three names that the publication knows, the nearest first. Only the first " +
      `${NAMES_EXPLAINED.toString()} different unknown countries of a request have them`,
  }),
};

const runnerUpSchema = z
  .object({ voucher_amount: amount, assignments: count })
  .meta({ id: "RunnerUp", description: "The second most used amount" });

const countryReceiptSchema = z
  .object({ voucher_amount: amount, assignments: count, country_assignments: count })
  .meta({ id: "CountryReceipt", description: "The basis of an answer for the whole country" });

const cellReceiptSchema = z
  .object({
    voucher_amount: amount,
    assignments: count.meta({ description: "Vouchers of this amount in the country and segment" }),
    segment_assignments: count.meta({ description: "All vouchers of the country and segment" }),
    share: z.number().meta({ description: "assignments / segment_assignments" }),
    runner_up: runnerUpSchema.nullable(),
    margin: count.meta({ description: "The lead over the runner-up, in vouchers" }),
    margin_share: z.number().meta({ description: "margin / segment_assignments" }),
    ...certaintyFields,
  })
  .meta({ id: "SegmentReceipt", description: "The counts of the country and segment" });

/** The basis of an answer. */
export const receiptSchema = z
  .object({
    segment_name: z.enum(SEGMENT_KINDS),
    reason: z.string().meta({ description: "Why the customer is in the segment, in words" }),
    measure: z
      .string()
      .meta({ description: "The measure that defines the segment", example: "total_orders" }),
    measured: z.int().meta({ example: 15 }),
    as_of: z.string().meta({ description: "The day that recency counts to", format: "date" }),
    segment_answer: cellReceiptSchema
      .nullable()
      .meta({ description: "null if the country and segment have no voucher" }),
    country_answer: countryReceiptSchema
      .nullable()
      .meta({ description: "null unless the country is the basis of the answer" }),
    segment: cellReceiptSchema
      .nullable()
      .meta({ description: "The same as segment_answer, under its former name", deprecated: true }),
    country: countryReceiptSchema
      .nullable()
      .meta({ description: "The same as country_answer, under its former name", deprecated: true }),
    publication: publicationSchema,
    age_days: z.int().meta({ description: "Whole calendar days from the execution date to today, in UTC" }),
  })
  .meta({ id: "Receipt" });

/** An answer of `/v1`. */
export const answerSchema = z
  .object({
    customer_id: z.union([z.string(), z.int()]).optional(),
    voucher_amount: amount
      .nullable()
      .meta({ description: "The most used voucher, in whole currency units; null if the basis is none" }),
    segment: z.string().meta({ description: "The customer's segment", example: "13-37" }),
    basis: z.enum(BASES).meta({ description: "The basis of the amount" }),
    execution_date: z.string().meta({
      description: "The execution date of the publication that the answer comes from",
      format: "date-time",
    }),
    none_because: noneFields.none_because.optional(),
    nearest_countries: noneFields.nearest_countries.optional(),
    receipt: receiptSchema.optional().meta({ description: "Only with explain=true" }),
  })
  .meta({ id: "Answer" });

export type AnswerDocument = z.input<typeof answerSchema>;
export type ReceiptDocument = z.input<typeof receiptSchema>;
