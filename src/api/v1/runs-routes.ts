import * as z from "zod";
import type { Consumption } from "../../consumption/consumption.js";
import { readWithdrawals } from "../../consumption/publication-withdrawals.js";
import { readRunHistory, type RunFilter } from "../../consumption/recorded-runs.js";
import { RUN_OUTCOMES } from "../../consumption/schema.js";
import { pastRunOf, toldRunOf, type PastRun } from "../../record/past-run.js";
import { rejectReasonsOf, rowCountsOf } from "../../record/row-counts.js";
import { sentencesOf } from "../../record/sentences.js";
import { CERTAINTY_WORDS } from "../../voucher/certainty.js";
import { isoOfKey } from "../../voucher/execution-date.js";
import { executionDate, wholeNumberText } from "../../voucher/field-schemas.js";
import { JSON_TYPE } from "../http/bodies.js";
import { operation, type Operation } from "../http/operation.js";
import { Problem } from "../http/problems.js";
import type { Services } from "../http/services.js";
import { AFTER, CURSOR_MESSAGE, NEXT } from "./list-formats.js";

const RUNS_UNLESS_ASKED = 20;
const MOST_RUNS = 100;

const RUN_ID = /^[\w-]{1,64}$/;

const count = z.int().min(0);
const moment = z.string().meta({ format: "date-time" });

/** The number of answers with each word of certainty. */
export const certaintyCounts = z
  .object(Object.fromEntries(CERTAINTY_WORDS.map((word) => [word, count])))
  .nullable()
  .meta({ description: "The number of answers with each word of certainty; null if unknown" });

const runSchema = z
  .object({
    run_id: z.string(),
    execution_date: z.string().meta({ example: "2020-05-29T00:00:00Z" }),
    stages: z.array(z.string()),
    outcome: z.enum(RUN_OUTCOMES),
    started_at: moment,
    ended_at: moment.nullable(),
    started_by: z.string().meta({ description: "User, host and process id" }),
    sql_version: z.string(),
    sql_hash: z.string(),
    error: z
      .object({ code: z.string(), message: z.string().nullable() })
      .nullable()
      .meta({ description: "The error, if the run failed" }),
    sentences: z.array(z.string()).meta({ description: "The result, in sentences for people" }),
    row_accounting: z
      .object({ rows_read: count, rejected: count, out_of_scope: count, curated: count })
      .nullable()
      .meta({ description: "The rows of the raw files by result; null if the run did not count them" }),
    rejected_by_reason: z.array(z.object({ reason: z.string(), rejected: count })),
    audits: z.array(
      z.object({
        model: z.string(),
        audit: z.string(),
        promise: z.string(),
        severity: z.enum(["error", "warn"]),
        outcome: z.enum(["passed", "warned", "failed"]),
        broken: count.meta({ description: "The number of rows that fail the audit" }),
      }),
    ),
    answers: z
      .object({
        answers: count,
        changed: count,
        against: z
          .string()
          .nullable()
          .meta({ description: "The execution date compared with; null if there was no earlier one" }),
        certainty: certaintyCounts,
      })
      .nullable()
      .meta({ description: "The answers of its publish; null if it prepared none" }),
    warnings: z.array(z.string()),
    seconds: z.number().nullable(),
    withdrawals: z.array(
      z.object({
        published_at: moment,
        withdrawn_at: moment,
        withdrawn_by: z.string(),
        why: z.string(),
        outcome: z.string(),
        ended_at: moment.nullable(),
        ended_by: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: "Run" });

/** A run with its record. */
export const recordedRunSchema = runSchema
  .extend({
    record: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: "The full record, as `pipeline runs --json` prints it" }),
  })
  .meta({ id: "RecordedRun" });

const runsSchema = z
  .object({ runs: z.array(runSchema), next: z.string().nullable().meta({ description: NEXT }) })
  .meta({ id: "Runs" });

/** `GET /v1/runs`: the runs of the pipeline, the newest first. */
export function listRuns(services: Services): Operation {
  return operation({
    method: "get",
    path: "/v1/runs",
    name: "listRuns",
    summary: "The runs of the pipeline, the newest first",
    tag: "Publications",
    query: z.strictObject({
      execution_date: executionDate.optional().meta({ description: "Only runs of this execution date" }),
      outcome: z
        .enum(RUN_OUTCOMES, `must be one of ${RUN_OUTCOMES.join(", ")}`)
        .optional()
        .meta({ description: "Only runs that are recorded with this outcome" }),
      limit: wholeNumberText(1, MOST_RUNS)
        .optional()
        .meta({ description: `${RUNS_UNLESS_ASKED.toString()} by default` }),
      after: z.string().regex(RUN_ID, CURSOR_MESSAGE).optional().meta({ description: AFTER }),
    }),
    answers: { [JSON_TYPE]: { schema: runsSchema } },
    problems: ["stale-cursor", "no-publication"],
    handle: async ({ query }, _request, response) => {
      const { limit = RUNS_UNLESS_ASKED, after, outcome } = query;
      const filter = { executionDate: query.execution_date?.partitionKey, outcome, limit: limit + 1, after };
      const runs = await services.store.ask(async (database) => {
        if (after !== undefined && (await readPastRuns(database, { runId: after, limit: 1 })).length === 0)
          throw staleCursor();
        return readPastRuns(database, filter);
      });
      const shown = runs.slice(0, limit);
      response.set("Cache-Control", "no-store");
      response.json({
        runs: shown.map(runDocument),
        next: runs.length > limit ? (shown.at(-1)?.run_id ?? null) : null,
      } satisfies z.input<typeof runsSchema>);
    },
  });
}

function staleCursor(): Problem {
  return new Problem(
    "stale-cursor",
    "The last run of the previous page no longer exists. Read from the start.",
    [{ field: "after", message: "must belong to a run that is still recorded" }],
  );
}

/** `GET /v1/runs/{run_id}`: one run, with its record. */
export function readRun(services: Services): Operation {
  return operation({
    method: "get",
    path: "/v1/runs/{run_id}",
    name: "readRun",
    summary: "One run of the pipeline, with its record",
    tag: "Publications",
    parameters: z.strictObject({
      run_id: z.string().regex(RUN_ID, "must be the id of a run: letters, digits and -"),
    }),
    answers: { [JSON_TYPE]: { schema: recordedRunSchema } },
    problems: ["unknown-run", "no-publication"],
    handle: async ({ path }, _request, response) => {
      const run = await services.store.ask((database) => readPastRun(database, path.run_id));
      if (run === undefined) throw new Problem("unknown-run", `There is no run ${path.run_id}.`);
      response.set("Cache-Control", "no-store");
      response.json(recordedRunDocument(run));
    },
  });
}

/** A run of the history; undefined if there is none with this id. */
export async function readPastRun(database: Consumption, runId: string): Promise<PastRun | undefined> {
  const [run] = await readPastRuns(database, { runId, limit: 1 });
  return run;
}

async function readPastRuns(database: Consumption, filter: RunFilter): Promise<PastRun[]> {
  const withdrawals = await readWithdrawals(database);
  return (await readRunHistory(database, filter)).map((run) => pastRunOf(run, withdrawals));
}

/** The document of a run with its record. */
export function recordedRunDocument(run: PastRun): z.input<typeof recordedRunSchema> {
  return { ...runDocument(run), record: run.report === null ? null : { ...run.report } };
}

function runDocument(run: PastRun): z.input<typeof runSchema> {
  const { report } = run;
  const rows = report === null ? undefined : rowCountsOf(report);
  return {
    run_id: run.run_id,
    execution_date: isoOfKey(run.execution_date),
    stages: run.stages.split(","),
    outcome: run.outcome,
    started_at: run.started_at,
    ended_at: run.ended_at,
    started_by: run.started_by,
    sql_version: run.sql_version,
    sql_hash: run.sql_hash,
    error: run.error_code === null ? null : { code: run.error_code, message: run.error_message },
    sentences: [...sentencesOf(toldRunOf(run))],
    row_accounting:
      rows === undefined
        ? null
        : {
            rows_read: rows.read,
            rejected: rows.rejected,
            out_of_scope: rows.outOfScope,
            curated: rows.curated,
          },
    rejected_by_reason:
      report === null ? [] : rejectReasonsOf(report).map(({ reason, rejected }) => ({ reason, rejected })),
    audits: (report?.audits ?? []).map(({ model, audit, promise, severity, outcome, broken }) => ({
      model,
      audit,
      promise,
      severity,
      outcome,
      broken,
    })),
    answers: report === null ? null : answersOf(report.answers),
    warnings: [...(report?.warnings ?? [])],
    // A current or killed run has recorded only the seconds so far.
    seconds: run.outcome === "running" || run.outcome === "killed" ? null : (report?.seconds ?? null),
    withdrawals: run.withdrawals.map(
      ({ published_at, withdrawn_at, withdrawn_by, why, outcome, ended_at, ended_by }) => ({
        published_at,
        withdrawn_at,
        withdrawn_by,
        why,
        outcome,
        ended_at,
        ended_by,
      }),
    ),
  };
}

function answersOf(answers: NonNullable<PastRun["report"]>["answers"]): z.input<typeof runSchema>["answers"] {
  if (answers === null) return null;
  const { changed, certainty } = answers;
  return {
    answers: changed.answers,
    changed: changed.count,
    against: changed.before,
    certainty: certainty === null ? null : { ...certainty },
  };
}
