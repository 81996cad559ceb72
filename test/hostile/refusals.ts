import { expect } from "@jest/globals";
import type { RunReport } from "../../src/record/run-record.js";
import { pipeline } from "../cli/command.js";
import { visible, type GoodWorkspace } from "../end-to-end/failing.js";
import { EXECUTION_DATE } from "../run/running.js";
import { removeFile } from "../storage.js";

/** How the curate command has ended over files of which some could not be read. */
export interface Ending {
  /** Of the run that read all the files that were left. */
  readonly report: RunReport;
  /** The files that were named as unreadable, by their names in the raw folder. */
  readonly refused: readonly string[];
}

/** As people run it; the memory is bounded, so that a damaged length cannot take the machine's. */
const LIMITS = { MAX_REJECTED_SHARE: "1", DUCKDB_MEMORY_LIMIT: "2GB" };

/**
 * Curates by the built command line, in a process of its own so that its death is seen, and removes the files that it
 * names until there are none. Expects every refusal to name at least one of them, and readers to see what they saw before.
 * @param files those that may be refused.
 */
export async function runUntilAccepted(workspace: GoodWorkspace, files: readonly string[]): Promise<Ending> {
  const refused: string[] = [];
  for (;;) {
    const args = ["curate", "-e", EXECUTION_DATE, "--json"];
    const { code, stdout, stderr } = await pipeline(args, { ...workspace.environment, ...LIMITS });
    if (code === 0) return { report: JSON.parse(stdout) as RunReport, refused };
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringMatching(/^\{"error":\{"code":"RAW_FILE_UNREADABLE"/),
    });
    const named = namedFiles(stderr);
    expect(named).not.toEqual([]);
    const wrong = named.filter((name) => !files.includes(name) || refused.includes(name));
    expect({ wrong, said: wrong.length > 0 ? stderr : "" }).toEqual({ wrong: [], said: "" });
    expect(await visible(workspace)).toEqual(workspace.before);
    for (const name of named) await removeFile(workspace.raw, name);
    refused.push(...named);
  }
}

/** Each line after the first names a file, and says what is wrong with it. */
function namedFiles(stderr: string): string[] {
  const { error } = JSON.parse(stderr) as { error: { message: string } };
  expect(error.message).not.toMatch(/^\s+at /m);
  const [, ...lines] = error.message.split("\n");
  return [...new Set(lines.map((line) => /^ {2}vouchers\/(.*?): /.exec(line)?.[1] ?? line))];
}
