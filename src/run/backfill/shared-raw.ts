import path from "node:path";
import { allEnded } from "../../base/concurrency.js";
import { messageOf } from "../../base/errors.js";
import { duckDbBuilder, type Engine } from "../../engine/duckdb/duckdb-engine.js";
import { makeTempDirectory } from "../../engine/duckdb/temp-directory.js";
import { loadSqlVersion } from "../../models/load.js";
import { isRaw } from "../../models/model.js";
import type { WithNewEngine } from "../../raw/inspect-raw.js";
import type { Settings } from "../../settings/settings.js";
import type { ExecutionDate } from "../../voucher/execution-date.js";
import { openZones } from "../../zones/open-zones.js";
import type { RunActivity } from "../activity.js";
import { auditModel } from "../audits.js";
import { assertPassed, assertSelectsOf, explaining, makeFunctions } from "../build.js";
import type { RawInput, RawParts, RawSource, TypedFile, RunContext } from "../context.js";
import { planRun } from "../plan.js";
import {
  findRawFiles,
  inputFilesOf,
  inspectRaw,
  planInput,
  rawZone,
  readingUnchanged,
} from "../raw-input.js";
import { runEngines, runSession } from "../run-engine.js";

type SharingContext = Pick<
  RunContext,
  "activity" | "executionDate" | "settings" | "signal" | "version" | "zones"
>;

/**
 * Reads and types the raw vouchers once, for runs of many execution dates. It finds, inspects and hashes their files,
 * and stores the result of each raw model as a Parquet file in a temporary folder. If the raw model of a run needs
 * another result, for example because it depends on the execution date, that run reads the raw files itself.
 * @param executionDate any date of the runs.
 * @throws PipelineError RAW_ZONE_EMPTY, RAW_FILE_UNREADABLE, RAW_FILES_CHANGED or MODEL_FAILED.
 */
export async function withSharedRaw<Result>(
  settings: Settings,
  executionDate: ExecutionDate,
  signal: AbortSignal,
  activity: RunActivity,
  use: (raw: RawSource) => Promise<Result>,
): Promise<Result> {
  const version = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
  const folder = await makeTempDirectory(settings.duckdb.tempDirectory);
  try {
    const zones = await openZones(settings, signal);
    try {
      return await use(
        await shareRaw({ activity, executionDate, settings, signal, version, zones }, folder.path),
      );
    } finally {
      zones.close();
    }
  } finally {
    await folder.remove().catch((error: unknown) => {
      activity.warn(`cannot remove the temporary folder ${folder.path}: ${messageOf(error)}`);
    });
  }
}

async function shareRaw(context: SharingContext, folder: string): Promise<RawSource> {
  const { activity, zones } = context;
  const inputs = await findRawFiles(context);
  const reach = { directories: [folder], files: inputs.flatMap(({ files }) => files.map(({ uri }) => uri)) };
  const withNewEngine = runEngines(runSession(context, activity.warn), reach);
  const [parts, files] = await readingUnchanged(context, inputs, () =>
    allEnded([
      withNewEngine((engine) => typeRaw(context, engine, inputs, withNewEngine, folder)),
      inputFilesOf(zones.raw, inputs),
    ]),
  );
  return {
    find: () => Promise.resolve(inputs),
    inspect: () => Promise.resolve(parts),
    inputFiles: () => Promise.resolve(files),
    // The runs read the typed copy, and the record has the hash of its files. A file that was replaced since is never
    // read.
    stateOf: (file) =>
      parts.isReadAgain() ? rawZone.stateOf(file) : JSON.stringify([file.bytes, file.version]),
    typedFiles: parts.typedFiles,
  };
}

async function typeRaw(
  context: SharingContext,
  engine: Engine,
  inputs: readonly RawInput[],
  withNewEngine: WithNewEngine,
  folder: string,
): Promise<RawParts & Pick<RawSource, "typedFiles"> & { isReadAgain: () => boolean }> {
  const { activity, version } = context;
  activity.percent = () => engine.progress();
  const parts = await activity.during("raw files", () =>
    inspectRaw(context, engine, inputs, withNewEngine, folder),
  );
  const { functions, steps } = planRun(version, planInput(context, parts.byModel));
  const rawSteps = steps.filter(({ model }) => isRaw(model));
  const builder = duckDbBuilder(engine);
  await makeFunctions(builder, functions);
  const made = new Map<string, TypedFile>();
  let isReadAgain = false;
  for (const step of rawSteps) {
    await assertSelectsOf(builder, step);
    const file = path.join(folder, `${step.model.table}.parquet`);
    const audits = await activity.during(step.model.name, () =>
      explaining(parts, step, async () => {
        await engine.writeTemporary(step.rendered.sql, file);
        await engine.attachFiles(step.model.name, [file]);
        return auditModel(builder, step);
      }),
    );
    await assertPassed(parts, step.model, audits);
    made.set(question(functions.sql, step.rendered.sql), { file, audits });
  }
  return {
    byModel: parts.byModel,
    columns: parts.columns,
    copies: parts.copies,
    explainFault: () => parts.explainFault(),
    typed: (functionsSql, select) => {
      const typed = made.get(question(functionsSql, select));
      if (typed === undefined) isReadAgain = true;
      return typed;
    },
    isReadAgain: () => isReadAgain,
    typedFiles: [...made.values()].map(({ file }) => file).concat(parts.copies),
  };
}

/** The texts that determine the result of a SELECT. */
function question(functions: string, select: string): string {
  return `${functions}\0${select}`;
}
