import { PipelineError } from "../base/errors.js";

/** The fault of asking for what is published where nothing is. */
export function nothingPublished(): PipelineError {
  return new PipelineError(
    "PUBLICATION_MISSING",
    "nothing is published; run the pipeline first, or see pipeline status",
  );
}
