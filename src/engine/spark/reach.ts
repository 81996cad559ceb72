import { PipelineError } from "../../base/errors.js";
import { sparkName, sparkPath } from "../../sql-text/spark-literal.js";
import type { SparkSession } from "./session.js";
import { SparkError } from "./spark-errors.js";

/** Where nothing is: to look there takes what it takes to look anywhere, and costs one request. */
const NOTHING = "_nothing_is_here";

/**
 * Makes sure that a cluster can look below an address on S3.
 * @throws PipelineError ENGINE_NOT_USABLE where it has no client, no keys or no rights, STORAGE_FAILED where S3 does not answer it.
 */
export async function assertReaches(session: SparkSession, uri: string): Promise<void> {
  try {
    await session.run(`SELECT * FROM text.${sparkName(`${sparkPath(uri)}/${NOTHING}`)}`);
  } catch (error) {
    if (!(error instanceof SparkError)) throw error;
    if (error.condition === "PATH_NOT_FOUND") return;
    throw new PipelineError(
      "ENGINE_NOT_USABLE",
      `${session.version} cannot look below ${uri}: ${error.message}`,
      {
        cause: error,
      },
    );
  }
}
