import { withDuckDb } from "../engine/duckdb/duckdb.js";
import type { RawPart } from "../models/dialect.js";
import type { WithNewEngine } from "../raw/inspect-raw.js";
import type { RawInput, RunContext } from "../run/context.js";
import { planRun, type Plan } from "../run/plan.js";
import { findRawFiles, inspectRaw, planInput } from "../run/raw-input.js";

/** What is rendered, and how it is told of what goes wrong at the end. */
export interface RenderContext extends Pick<
  RunContext,
  "executionDate" | "settings" | "version" | "zones" | "signal"
> {
  readonly warn: (message: string) => void;
}

/** What a run would read, and what it would say to the engine. */
export interface RenderedRun {
  readonly engine: string;
  readonly inputs: readonly (RawInput & { readonly parts: readonly RawPart[] })[];
  readonly plan: Plan;
}

/**
 * Looks at the raw files as a run does, because the SQL depends on their columns, and renders what the run would say. Nothing is
 * made, neither in the zones nor on this machine.
 * @throws PipelineError RAW_ZONE_EMPTY, RAW_FILE_UNREADABLE or INVALID_MODEL.
 */
export async function renderRun(context: RenderContext): Promise<RenderedRun> {
  const { settings, signal, version, warn, zones } = context;
  const found = await findRawFiles(context);
  const session = {
    settings: settings.duckdb,
    s3: zones.s3,
    reach: { directories: [], files: found.flatMap(({ files }) => files.map(({ uri }) => uri)) },
    signal,
    warn,
    leavesNoTrace: true,
  };
  const withNewEngine: WithNewEngine = (use) => withDuckDb(session, use);
  return withDuckDb(session, async (engine) => {
    const { byModel } = await inspectRaw(context, engine, found, withNewEngine, undefined);
    return {
      engine: engine.version,
      inputs: found.map((input) => ({ ...input, parts: byModel.get(input.model.name) ?? [] })),
      plan: planRun(version, planInput(context, byModel)),
    };
  });
}
