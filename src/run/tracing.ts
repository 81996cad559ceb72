import { randomBytes } from "node:crypto";
import { messageOf, PipelineError } from "../base/errors.js";
import type { Settings } from "../settings/settings.js";
import type { RunActivity } from "./activity.js";

/** The name and the attributes of a run's span. */
interface TracedRun {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The trace of a run: that of its caller, or a new one if spans are exported. */
export function traceIdOf({ traces: { parent, endpoint } }: Pick<Settings, "traces">): string | undefined {
  if (parent !== undefined) return parent.traceId;
  return endpoint === undefined ? undefined : randomBytes(16).toString("hex");
}

/** The same clock as for the steps: the system's own can be set back during a run. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * Does a run, and then exports a span of it and of its steps if the settings name an address. A fault of the export
 * is a warning.
 */
export async function traced<Result>(
  { traces: { parent, endpoint } }: Pick<Settings, "traces">,
  traceId: string | undefined,
  activity: RunActivity,
  run: TracedRun,
  work: () => Promise<Result>,
): Promise<Result> {
  if (endpoint === undefined || traceId === undefined) return work();
  const begun = now();
  const send = async (fault?: string) => {
    try {
      const { sendSpans } = await import("../base/otlp.js");
      const whole = { ...run, begun, ended: now(), fault, parts: activity.timedSteps };
      await sendSpans("voucher-pipeline", whole, { parent, traceId });
    } catch (error) {
      activity.warn(`traces: ${endpoint} is not reachable: ${messageOf(error)}`);
    }
  };
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    await send(error instanceof PipelineError ? error.code : "BUG");
    throw error;
  }
  await send();
  return result;
}
