import { createHash } from "node:crypto";
import { isRaw, type Model } from "../../../models/model.js";
import { type RunReport } from "../../../record/run-record.js";
import { STAGES } from "../../../record/stages.js";
import type { VersionLineage } from "../../column-lineage.js";
import type { RunContext } from "../../context.js";
import type { EndedRun } from "../observer.js";
import { type Dataset, dataset, filesFacets, filesName } from "./datasets.js";
import { outputsOf } from "./datasets.js";
import { facetsOf, producer, RUN_EVENT_SCHEMA, testsOf, type Facets } from "./facets.js";

/** The OpenLineage event of a run at one moment. */
export interface RunEvent {
  readonly eventType: "START" | "COMPLETE" | "FAIL" | "ABORT";
  readonly eventTime: string;
  readonly run: { readonly runId: string; readonly facets: Facets };
  readonly job: { readonly namespace: string; readonly name: string; readonly facets: Facets };
  readonly inputs: readonly Dataset[];
  readonly outputs: readonly Dataset[];
  readonly producer: string;
  readonly schemaURL: string;
}

type EventContext = Pick<
  RunContext,
  "executionDate" | "runId" | "settings" | "stages" | "traceId" | "version" | "zones"
>;

/** The event of a run that begins. */
export function startEvent(context: EventContext, startedAt: string): RunEvent {
  return eventOf(context, { eventType: "START", eventTime: startedAt });
}

/**
 * The event of a run that ends.
 * @param lineage of a successful run. Any other run changed nothing, so it has no outputs.
 */
export function endEvent(
  context: EventContext,
  end: EndedRun,
  lineage: VersionLineage | undefined,
): RunEvent {
  const { outcome, report, fault, endedAt } = end;
  const [name, version] = report.engine?.split(" v") ?? [];
  return eventOf(context, {
    eventType: outcome === "succeeded" ? "COMPLETE" : outcome === "failed" ? "FAIL" : "ABORT",
    eventTime: endedAt,
    inputs: inputsOf(context, report),
    outputs: lineage === undefined ? [] : outputsOf(context, report, lineage),
    runFacets: {
      test: { tests: testsOf(report) },
      ...(version === undefined ? {} : { processing_engine: { name, version } }),
      ...(fault === undefined
        ? {}
        : {
            errorMessage: { message: `${fault.code}: ${fault.message}`, programmingLanguage: "TypeScript" },
          }),
    },
    jobFacets: lineage === undefined ? {} : { sql: { query: sqlOf(lineage), dialect: "duckdb" } },
  });
}

interface Said
  extends Pick<RunEvent, "eventType" | "eventTime">, Partial<Pick<RunEvent, "inputs" | "outputs">> {
  readonly runFacets?: Facets;
  readonly jobFacets?: Facets;
}

function eventOf(context: EventContext, said: Said): RunEvent {
  const { executionDate, runId, settings, stages, traceId, version } = context;
  const { eventType, eventTime, inputs = [], outputs = [], runFacets = {}, jobFacets = {} } = said;
  const parameters = {
    run_id: runId,
    stages: stages.join(","),
    sql_version: version.name,
    sql_hash: version.hash,
    max_rejected_share: settings.maxRejectedShare,
    ...(traceId !== undefined && { trace_id: traceId }),
  };
  return {
    eventType,
    eventTime,
    run: {
      runId: uuidOf(runId),
      facets: facetsOf({
        nominalTime: { nominalStartTime: executionDate.iso },
        executionParameters: {
          parameters: Object.entries(parameters).map(([key, value]) => ({ key, value })),
        },
        ...runFacets,
      }),
    },
    job: {
      namespace: settings.openLineage.namespace,
      // Other stages have other inputs and outputs. That makes them another job.
      name: stages.length === STAGES.length ? "voucher_pipeline" : `voucher_pipeline.${stages.join("_")}`,
      facets: facetsOf({
        jobType: { processingType: "BATCH", integration: "VOUCHER_PIPELINE", jobType: "JOB" },
        ...jobFacets,
      }),
    },
    inputs,
    outputs,
    producer: producer(),
    schemaURL: RUN_EVENT_SCHEMA,
  };
}

/** The SQL of all models except raw: the SQL of raw names the files of each run. */
function sqlOf({ plan }: VersionLineage): string {
  return plan.steps
    .filter(({ model }) => !isRaw(model))
    .map(({ model, rendered }) => `-- ${model.name}\n${rendered.sql};`)
    .join("\n\n");
}

/** The namespace of our runs, among those of RFC 9562: any constant does. */
const RUNS = Buffer.from("6f1d2c5ab4e94b0e9f5e0d7c8a3b1e42", "hex");

/** The UUID of a run, version 5. It is the same for the same run, so the run id determines it. */
export function uuidOf(runId: string): string {
  const bytes = createHash("sha1").update(RUNS).update(runId).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The inputs of a run: raw files by their folder, and partitions of other runs. */
function inputsOf(context: Pick<RunContext, "settings" | "version" | "zones">, report: RunReport): Dataset[] {
  return context.version.models.flatMap((model) => {
    const read = isRaw(model) ? rawInput(model.header.folder, report) : restingInput(model, report);
    if (read === undefined) return [];
    return [
      dataset(filesName(context, model), {
        facets: { ...filesFacets(context, model), ...read.facets },
        inputFacets: { inputStatistics: read.statistics },
      }),
    ];
  });
}

interface Read {
  readonly facets: { version?: object };
  readonly statistics: object;
}

function rawInput(folder: string, { inputs }: RunReport): Read | undefined {
  const files = inputs.filter(({ path }) => path.startsWith(`${folder}/`));
  if (files.length === 0) return undefined;
  const size = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return { facets: {}, statistics: { size, fileCount: files.length } };
}

function restingInput({ name }: Model, { at_rest }: RunReport): Read | undefined {
  const resting = at_rest.find(({ model }) => model === name);
  return resting && { facets: { version: { datasetVersion: resting.sha256 } }, statistics: { fileCount: 1 } };
}
