import { spawn } from "node:child_process";
import type { Row } from "../../src/engine/builder.js";
import { PROJECT } from "../workspace.js";
import type { Ended } from "./command.js";

/** DuckDB's own command line; undefined where the environment names none. */
export const { TEST_DUCKDB_CLI } = process.env;

/** The date that the views of `describeViews` are over: an init file cannot know which one readers see. */
const CHOSEN = "SET VARIABLE execution_date = '2020-06-01T000000'";

/** Runs one statement in DuckDB's own command line, started with an init file in the folder of the project. */
export async function askDuckDb(
  initFile: string,
  sql: string,
  environment: Record<string, string>,
): Promise<Row[]> {
  const { code, stdout, stderr } = await runDuckDb(
    ["-init", initFile, "-json", "-c", CHOSEN, "-c", sql],
    environment,
  );
  // Which file it has read is all that it may say.
  const said = stderr.replace(/^-- Loading resources from .*\n/, "");
  if (code !== 0 || said !== "") throw new Error(said);
  return JSON.parse(stdout) as Row[];
}

/** Runs DuckDB's own command line in the folder of the project. */
export async function runDuckDb(
  args: readonly string[],
  environment: Record<string, string>,
): Promise<Ended> {
  if (TEST_DUCKDB_CLI === undefined) throw new Error("TEST_DUCKDB_CLI names no command line");
  const child = spawn(TEST_DUCKDB_CLI, args, {
    cwd: PROJECT,
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  // eslint-disable-next-line no-control-regex -- colours are control sequences
  return { code, stdout, stderr: stderr.replaceAll(/\u001b\[[0-9;]*m/g, "") };
}
