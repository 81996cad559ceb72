import { describe, expect, it } from "@jest/globals";
import { pipeline } from "./warm-command.js";

const NPM = { npm_lifecycle_event: "pipeline" };
const HINT = "npm keeps options that come before --. Use npx pipeline … or npm run pipeline -- …";

async function faultOf(words: readonly string[], environment: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await pipeline(words, environment);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  return stderr.trimEnd().replace("error INVALID_USAGE: ", "");
}

describe("a wrong command line", () => {
  it.each([
    [["stauts"], "unknown command stauts. Did you mean status?; see npx pipeline --help"],
    [["transmogrify"], "unknown command transmogrify; see npx pipeline --help"],
    [
      ["run", "--execution-dat", "2020-05-29"],
      "unknown option --execution-dat. Did you mean --execution-date?; see npx pipeline run --help",
    ],
    [
      ["status", "--max-aeg=3"],
      "unknown option --max-aeg. Did you mean --max-age?; see npx pipeline status --help",
    ],
    [["status", "--colour"], "unknown option --colour; see npx pipeline status --help"],
    [["status", "1"], 'unexpected argument "1"; see npx pipeline status --help'],
    [["backfill"], "missing --from and --to; see npx pipeline backfill --help"],
    [["render", "-e", "2020-05-29"], "missing <model>; see npx pipeline render --help"],
    [["status", "--max-age"], "--max-age needs a value; see npx pipeline status --help"],
    [
      ["backfill", "--from", "2020-05-28", "--to", "2020-05-29", "--only", "some"],
      '--only "some" is not valid. Use one of "missing", "failed", "stale", "outdated", "all"; see npx pipeline backfill --help',
    ],
  ])("%j is explained, with the nearest name", async (words, message) => {
    expect(await faultOf(words)).toBe(message);
  });
});

/** The words and the environment are those that npm 10 and 11 give to the program. */
describe("options that npm kept because -- was missing", () => {
  it.each<[string, string[], Record<string, string>, string]>([
    ["npm run pipeline -e 2020-05-29", [], {}, "missing --execution-date"],
    [
      "npm run pipeline --execution-date 2020-05-29",
      ["2020-05-29"],
      { npm_config_execution_date: "true" },
      "unknown command 2020-05-29",
    ],
    [
      "npm run pipeline backfill --from 2020-01-01 --to 2020-01-02",
      ["backfill", "2020-01-01", "2020-01-02"],
      { npm_config_from: "true", npm_config_to: "true" },
      "missing --from and --to",
    ],
    [
      "npm run pipeline --max-changed=5 -- -e 2020-05-29",
      ["-e", "2020-05-29"],
      { npm_config_max_changed: "5" },
      "the pipeline did not get --max-changed",
    ],
  ])("%s are refused, with the right command line", async (_typed, words, environment, wrong) => {
    expect(await faultOf(words, { ...NPM, ...environment })).toBe(`${wrong}. ${HINT}`);
  });

  it("are not suspected without npm", async () => {
    expect(await faultOf([], { npm_lifecycle_event: "npx" })).toBe(
      "missing --execution-date; see npx pipeline --help",
    );
  });
});
