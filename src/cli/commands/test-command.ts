import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../../base/errors.js";
import { EXIT_CODES, endWith } from "../../base/exit-codes.js";
import { counting } from "../../base/words.js";
import type { CaseResult } from "../../introspect/check/run-tests.js";
import type { Cancellation } from "../cancel.js";
import { print, printWarning } from "../output.js";

interface TestArguments {
  model: string | undefined;
  json: boolean;
  "from-run": string | undefined;
  rows: number;
}

/** The command that runs the tests next to the SQL. */
export function testCommand(cancellation: Cancellation): CommandModule<object, TestArguments> {
  return {
    command: "test [model]",
    describe: "Run the tests in sql/v1/tests; exit 3 if any fails",
    builder: (yargs: Argv) =>
      yargs
        .positional("model", { type: "string", describe: "Only the tests of this model; default: all" })
        .option("json", { type: "boolean", default: false, describe: "Print the results as JSON" })
        .option("from-run", {
          type: "string",
          requiresArg: true,
          describe: "Print a test of the model with rows of this run",
        })
        .option("rows", {
          type: "number",
          default: 20,
          describe: "With --from-run: the most rows of each input",
        })
        .example("$0 test", "Run every test")
        .example("$0 test curated.vouchers", "Run the tests of one model"),
    handler: async ({ model, json, rows, "from-run": runId }) => {
      if (runId !== undefined) {
        print(await caseFromRun({ model, runId, rows }, cancellation));
        return;
      }
      const [{ runTests }, { readSettings }] = await Promise.all([
        import("../../introspect/check/run-tests.js"),
        import("../../settings/settings.js"),
      ]);
      const results = await runTests(readSettings(), model, cancellation.signal);
      const failed = results.filter(({ passed }) => !passed);
      if (json) {
        print(JSON.stringify(results, null, 2));
        if (failed.length > 0) endWith(EXIT_CODES.data);
        return;
      }
      print(filesInWords(results));
      if (failed.length > 0) throw new PipelineError("TEST_FAILED", failuresInWords(results.length, failed));
    },
  };
}

async function caseFromRun(
  {
    model,
    runId,
    rows,
  }: { readonly model: string | undefined; readonly runId: string; readonly rows: number },
  { signal }: Cancellation,
): Promise<string> {
  if (model === undefined)
    throw new PipelineError(
      "INVALID_USAGE",
      "--from-run needs the name of a model, such as curated.vouchers",
    );
  if (!Number.isInteger(rows) || rows < 1)
    throw new PipelineError("INVALID_USAGE", "--rows must be a whole number not below 1");
  const [{ testFromRun }, { readSettings }] = await Promise.all([
    import("../../introspect/check/test-from-run.js"),
    import("../../settings/settings.js"),
  ]);
  return testFromRun(readSettings(), { model, runId, rows }, signal, printWarning);
}

function filesInWords(results: readonly CaseResult[]): string {
  return [...new Set(results.map(({ file }) => file))]
    .map((file) => {
      const cases = results.filter((result) => result.file === file);
      const failed = cases.filter(({ passed }) => !passed).length;
      return `${file}: ${counting(cases.length, "case")}, ${failed === 0 ? "all passed" : `${failed.toString()} failed`}`;
    })
    .join("\n");
}

function failuresInWords(all: number, failed: readonly CaseResult[]): string {
  return [
    `${failed.length.toString()} of ${counting(all, "case")} failed:`,
    ...failed.flatMap(({ file, line, name, failures }) => [
      `${file}:${line.toString()}: ${name}`,
      ...failures.map((failure) => `  ${file}:${failure.line.toString()}: ${failure.message}`),
    ]),
  ].join("\n");
}
