import * as z from "zod";
import { maybeJson } from "../../http/bodies.js";

/**
 * What a page reads of the record of a run. Records are as old as the version of the pipeline that wrote them, and those of
 * runs that died tell half: what is not known is undefined, or is not among a list.
 */
export interface RunRecord {
  readonly seconds: number | undefined;
  readonly rows: RowCounts | undefined;
  readonly reasons: readonly RejectReason[];
  readonly rejectedExamples: readonly RejectedExample[];
  readonly audits: readonly AuditOutcome[] | undefined;
  readonly warnings: readonly string[] | undefined;
}

/** What became of the rows of the raw files. */
export interface RowCounts {
  readonly read: number;
  readonly curated: number | undefined;
  readonly rejected: number | undefined;
  readonly outOfScope: number | undefined;
}

/** Why rows were rejected. A row with two reasons counts under both. */
export interface RejectReason {
  readonly reason: string;
  readonly rejected: number;
}

/** Rejected rows of one reason and country, with one of them. */
export interface RejectedExample extends RejectReason {
  /** Null where it cannot be read. */
  readonly country: string | null;
  /** The value at fault, as it came. */
  readonly value: string | null;
  readonly file: string | null;
}

/** How a promise was kept. */
export interface AuditOutcome {
  readonly model: string;
  readonly audit: string;
  readonly promise: string;
  readonly outcome: "passed" | "warned" | "failed";
  readonly broken: number;
  /** How many rows may break it: a number of them, or a share from 0 to 1. */
  readonly allowed: { readonly rows?: number | undefined; readonly share?: number | undefined };
}

/** Reads a record; null, and what is no record at all, tell nothing. */
export function readRunRecord(text: string | null): RunRecord {
  const { seconds, measures, audits, warnings } = recordSchema.parse(text === null ? {} : maybeJson(text));
  return {
    seconds,
    rows: measures["measures.row_accounting"]?.[0],
    reasons: measures["measures.rejected_by_reason"] ?? [],
    rejectedExamples: measures["measures.rejected_by_reason_and_country"] ?? [],
    audits,
    warnings,
  };
}

/** The engine gives large whole numbers as text. */
const count = z
  .union([z.number(), z.string().regex(/^\d+$/)])
  .transform(Number)
  .pipe(z.number().nonnegative());

const rowCounts = z
  .object({
    rows_read: count,
    curated: maybe(count),
    rejected: maybe(count),
    out_of_scope: maybe(count),
  })
  .transform(({ rows_read: read, out_of_scope: outOfScope, curated, rejected }) => ({
    read,
    curated,
    rejected,
    outOfScope,
  }));

const rejectReason = z
  .object({ reject_reason: z.string(), rejected: count })
  .transform(({ reject_reason: reason, rejected }) => ({ reason, rejected }));

const rejectedExample = z
  .object({
    reject_reason: z.string(),
    rejected: count,
    country_code: z.string().nullable().catch(null),
    example: z.string().nullable().catch(null),
    source_file: z.string().nullable().catch(null),
  })
  .transform((row) => ({
    reason: row.reject_reason,
    rejected: row.rejected,
    country: row.country_code,
    value: row.example,
    file: row.source_file,
  }));

const auditOutcome = z
  .object({
    model: z.string(),
    audit: z.string(),
    promise: z.string().catch(""),
    outcome: z.enum(["passed", "warned", "failed"]),
    broken: count.catch(0),
    threshold: z.object({ rows: maybe(count), share: maybe(count) }).catch({}),
  })
  .transform(({ threshold: allowed, ...audit }) => ({ ...audit, allowed }));

const measures = z.object({
  "measures.row_accounting": knownOf(rowCounts),
  "measures.rejected_by_reason": knownOf(rejectReason),
  "measures.rejected_by_reason_and_country": knownOf(rejectedExample),
});

const recordSchema = z
  .object({
    seconds: maybe(z.number().nonnegative()),
    measures: measures.catch({}),
    audits: knownOf(auditOutcome),
    warnings: knownOf(z.string()),
  })
  .catch({ measures: {} });

function maybe<Schema extends z.ZodType>(schema: Schema) {
  return schema.optional().catch(undefined);
}

/** A list of which those are taken that can be read; undefined where it is none. */
function knownOf<Schema extends z.ZodType>(schema: Schema) {
  const known = z
    .array(z.unknown())
    .transform((items) =>
      items.map((item) => schema.safeParse(item)).flatMap(({ success, data }) => (success ? [data] : [])),
    );
  return maybe(known);
}
