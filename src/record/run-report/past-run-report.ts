import { PipelineError } from "../../base/errors.js";
import type { PastRun } from "../../introspect/history.js";
import { markdownOf } from "./markdown.js";
import { storyOf } from "./story.js";

/**
 * The report of a run of the history, as Markdown.
 * @throws PipelineError INVALID_USAGE where it died before anything of it was recorded.
 */
export function runReportOf(run: PastRun): string {
  const { run_id, report, outcome, error_code, error_message, started_at, ended_at } = run;
  if (report === null)
    throw new PipelineError(
      "INVALID_USAGE",
      `nothing is recorded of the run ${run_id}: there is no report of it`,
    );
  const fault = error_code === null ? undefined : { code: error_code, message: error_message ?? "" };
  return markdownOf(storyOf({ outcome, fault, startedAt: started_at, endedAt: ended_at, report }));
}
