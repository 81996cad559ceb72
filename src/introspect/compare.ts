import { randomBytes } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { messageOf, PipelineError, systemCodeOf } from "../base/errors.js";
import { printable } from "../base/words.js";
import type { Consumption } from "../consumption/consumption.js";
import { answersAmong, readAnswersOf } from "../consumption/read-answers.js";
import { readPublications } from "../consumption/read-publications.js";
import { readRunOutlines } from "../consumption/recorded-runs.js";
import { PublicationReplaced } from "../consumption/table-pages.js";
import type { SqlVersion } from "../models/load.js";
import { isPublished } from "../models/model.js";
import { answersReportOf, diffOf } from "../record/answers.js";
import type { ComparedPublication, Comparison, PricedCampaign, RawChange } from "../record/comparison.js";
import type { AnswersDiff, InputFile, SqlChange } from "../record/run-record.js";
import { sqlChangeSince } from "../record/sql-change.js";
import { STAGES } from "../record/stages.js";
import type { RunActivity } from "../run/activity.js";
import type { Gate, PlanContext, RawInput } from "../run/context.js";
import { changedInputs, inputsOf, RawFilesNow } from "../run/date-runs.js";
import { countedBy } from "../run/gate.js";
import { publishedContents } from "../run/publish.js";
import { findRawFiles, readingUnchanged } from "../run/raw-input.js";
import type { Settings } from "../settings/settings.js";
import { costOfCampaign } from "../voucher/campaign-cost.js";
import type { DecisionOptions } from "../voucher/decision.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { UnreadableFile } from "../voucher/file-lines.js";
import type { Publication } from "../voucher/publication-identity.js";
import { Answers } from "../voucher/published-answers.js";
import { buildAside, settingsAside, zonesAside } from "./build-aside.js";
import { looking } from "./looking.js";

/** A publication that is replaced again and again while it is read is left for later. */
const ATTEMPTS = 5;

/** The date, the limit and the campaign of a comparison. */
export interface CompareRequest {
  readonly executionDate: ExecutionDate;
  /** The settings whose database has the answers that readers get, if these are not the settings of the build. */
  readonly against: { readonly profile: string; readonly settings: Settings } | undefined;
  /** How many answers may differ; undefined for any number. */
  readonly limit: Pick<Gate, "maxChanged" | "ignoresTossUps"> | undefined;
  readonly campaign: { readonly file: string; readonly asOf: Date } | undefined;
}

/**
 * Builds a date by the SQL of the settings, apart from the zones, and compares its answers with those that readers get. It reads the
 * raw files as they are now. It changes nothing: no zone, no database, no lock, no record.
 * @throws PipelineError for every fault that fails a run.
 */
export async function compareSql(
  settings: Settings,
  request: CompareRequest,
  signal: AbortSignal,
  activity: RunActivity,
): Promise<Comparison> {
  const begin = performance.now();
  const { executionDate, against, campaign, limit } = request;
  const file = campaign === undefined ? undefined : await openCampaign(campaign.file);
  try {
    return await looking(settings, signal, async (opened) => {
      const version = await opened.sql();
      const seen = await activity.during("reading the published answers", () =>
        seenAnswers(against?.settings ?? settings, executionDate, version, activity.warn),
      );
      const zones = await opened.zones();
      const context: PlanContext = {
        executionDate,
        settings: settingsAside(settings),
        version,
        zones: await zonesAside(zones, await opened.folder()),
      };
      const raw = await findRawFiles(context);
      const rawChanges = seen?.inputs && (await rawChangesSince(context, seen.inputs, raw));
      const after = await readingUnchanged({ signal, zones }, raw, () =>
        builtAnswers(context, raw, signal, activity),
      );
      const diff = diffOf(seen?.answers, after);
      return {
        execution_date: executionDate.iso,
        sql_version: version.name,
        sql_hash: version.hash,
        compared_with: comparedWith(seen?.publication, against?.profile),
        sql_change: seen?.sqlChange ?? null,
        raw_changes: rawChanges ?? null,
        // Only a record leaves out changes.
        answers: { ...answersReportOf(after, diff), changed: diff },
        gate: limit === undefined ? null : heldTo(limit, seen?.answers, diff),
        campaign:
          campaign === undefined || file === undefined
            ? null
            : await priced(campaign, file, seen?.answers, after),
        seconds: (performance.now() - begin) / 1000,
      };
    });
  } finally {
    await file?.close();
  }
}

/** The answers that readers get, with their sources. */
interface SeenAnswers {
  readonly publication: Publication;
  readonly answers: Answers;
  readonly sqlChange: SqlChange | null;
  /** Undefined if no record has them. */
  readonly inputs: readonly InputFile[] | undefined;
}

/** Closes the database before anything is built: a run may begin meanwhile. */
function seenAnswers(
  settings: Settings,
  executionDate: ExecutionDate,
  version: SqlVersion,
  warn: (message: string) => void,
): Promise<SeenAnswers | undefined> {
  return looking(settings, undefined, async (opened) => {
    const consumption = await opened.untouchedDatabase();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await seenIn(consumption, settings, executionDate, version, warn);
      } catch (error) {
        if (!(error instanceof PublicationReplaced)) throw error;
        if (attempt === ATTEMPTS)
          throw new PipelineError(
            "CONSUMPTION_UNAVAILABLE",
            `the publication was replaced while it was read; run the command again`,
            { cause: error },
          );
      }
    }
  });
}

async function seenIn(
  consumption: Consumption,
  { sqlDirectory }: Settings,
  { partitionKey }: ExecutionDate,
  version: SqlVersion,
  warn: (message: string) => void,
): Promise<SeenAnswers | undefined> {
  const [publication] = await readPublications(consumption, { upTo: partitionKey, limit: 1 });
  if (publication === undefined) return undefined;
  const key = publication.executionDate.partitionKey;
  const runs = (await readRunOutlines(consumption, { executionDate: key })).get(key) ?? [];
  return {
    publication,
    answers: await readAnswersOf(consumption, publication, { sqlDirectory, warn }),
    sqlChange: await sqlChangeSince(consumption, publication, version),
    inputs: await inputsOf(consumption, publication, runs),
  };
}

function comparedWith(
  publication: Publication | undefined,
  profile: string | undefined,
): ComparedPublication {
  return {
    execution_date: publication?.executionDate.iso ?? null,
    run_id: publication?.runId ?? null,
    sql_version: publication?.sqlVersion ?? null,
    sql_hash: publication?.sqlHash ?? null,
    profile: profile ?? null,
  };
}

/** How the raw files differ from those of a publication. Here new files count, because the build reads them. */
async function rawChangesSince(
  { zones }: Pick<PlanContext, "zones">,
  inputs: readonly InputFile[],
  raw: readonly RawInput[],
): Promise<RawChange[]> {
  const files = raw.flatMap((input) => input.files);
  const known = new Set(inputs.map(({ path: name }) => name));
  return [
    ...(await changedInputs(inputs, new RawFilesNow(zones.raw, files))),
    ...files
      .filter((file) => !known.has(file.path))
      .map((file) => ({ path: file.path, change: "new" as const })),
  ];
}

/** The answers that a run would publish. */
function builtAnswers(
  context: PlanContext,
  raw: readonly RawInput[],
  signal: AbortSignal,
  activity: RunActivity,
): Promise<Answers> {
  const { executionDate, version } = context;
  const runId = `${executionDate.partitionKey}-${randomBytes(6).toString("hex")}`;
  const build = { raw, stages: STAGES, runId, atRestFiles: [] };
  return buildAside(context, build, { signal, activity, warn: activity.warn }, async (engine) => {
    const cells = await answersAmong(await publishedContents(engine, version.models.filter(isPublished)));
    if (cells === undefined)
      throw new PipelineError("INVALID_MODEL", `the SQL version ${version.name} publishes no answers`);
    return new Answers(unpublished(executionDate, runId, version), version, cells, undefined);
  });
}

/** The publication that a run would make, as far as answers need one. */
function unpublished(executionDate: ExecutionDate, runId: string, { name, hash }: SqlVersion): Publication {
  return {
    executionDate,
    runId,
    sqlVersion: name,
    sqlHash: hash,
    dataHash: "",
    publishedAt: new Date().toISOString(),
    rowCounts: {},
  };
}

function heldTo(
  limit: NonNullable<CompareRequest["limit"]>,
  before: Answers | undefined,
  diff: AnswersDiff,
): NonNullable<Comparison["gate"]> {
  const { counting, maxChanged } = countedBy(limit, { before, diff });
  return {
    count: diff.count,
    counted: counting.length,
    max_changed: maxChanged,
    ignored_toss_ups: limit.ignoresTossUps,
    outcome: counting.length <= maxChanged ? "passed" : "stopped",
  };
}

/** @throws PipelineError INVALID_USAGE. */
async function openCampaign(file: string): Promise<FileHandle> {
  try {
    return await open(file);
  } catch (error) {
    throw campaignFault(file, messageOf(error), error);
  }
}

async function priced(
  { file, asOf }: NonNullable<CompareRequest["campaign"]>,
  handle: FileHandle,
  before: Answers | undefined,
  after: Answers,
): Promise<PricedCampaign> {
  const options: DecisionOptions = { asOf, fallback: "none", minAssignments: 1 };
  try {
    const bytes = handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>;
    const cost = await costOfCampaign(bytes, before, after, options);
    return { file: path.basename(file), as_of: asOf.toISOString().slice(0, 10), ...cost };
  } catch (error) {
    if (systemCodeOf(error) !== undefined) throw campaignFault(file, messageOf(error), error);
    if (!(error instanceof UnreadableFile)) throw error;
    const fields = error.errors.filter(({ field }) => field !== "body");
    const columns = fields.map(({ field, message }) => ` ${field} ${message}.`).join("");
    throw campaignFault(file, error.message + columns, error);
  }
}

function campaignFault(file: string, what: string, cause: unknown): PipelineError {
  return new PipelineError("INVALID_USAGE", `cannot read the campaign ${printable(file)}: ${what}`, {
    cause,
  });
}
