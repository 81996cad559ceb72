import { text as textOf } from "node:stream/consumers";
import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../../base/errors.js";
import type { ShellDates } from "../../introspect/shell-dates.js";
import type { ShellContext } from "../../introspect/shell.js";
import type { Cancellation } from "../cancel.js";
import { printError, printWarning } from "../output.js";
import type { ResultFormat } from "../shell-output.js";

interface ShellArguments {
  "execution-date": string | undefined;
  c: string | undefined;
  json: boolean;
  csv: boolean;
  "read-only": boolean;
}

/** The command that opens DuckDB with views over the zones. */
export function shellCommand(cancellation: Cancellation): CommandModule<object, ShellArguments> {
  return {
    command: "shell",
    describe: "Query the zones with SQL",
    builder: (yargs: Argv) =>
      yargs
        .option("c", {
          alias: "command",
          type: "string",
          requiresArg: true,
          describe: "SQL to run; default: standard input, or an interactive prompt",
        })
        .option("execution-date", {
          alias: "e",
          type: "string",
          requiresArg: true,
          describe: "Show this execution date; default: the published one",
        })
        .option("json", { type: "boolean", default: false, describe: "Print rows as JSON" })
        .option("csv", { type: "boolean", default: false, describe: "Print rows as CSV" })
        .option("read-only", {
          type: "boolean",
          default: false,
          describe: "Use the read-only prompt even if duckdb is installed",
        })
        .check(refuseTwoFormats)
        .example('$0 shell -c "from curated_vouchers limit 10"', "Show ten rows")
        .example("$0 shell", "Open an interactive prompt")
        .example("$0 shell -e 2020-05-29", "Query another execution date"),
    handler: async ({ c: command, "execution-date": date, json, csv, "read-only": readOnly }) => {
      const [{ readSettings }, { parseExecutionDate }] = await Promise.all([
        import("../../settings/settings.js"),
        import("../../voucher/execution-date.js"),
      ]);
      const context = {
        settings: readSettings(),
        executionDate: date === undefined ? undefined : parseExecutionDate(date),
        signal: cancellation.signal,
        warn: printWarning,
      };
      const format = json ? "json" : csv ? "csv" : "table";
      if (command === undefined && process.stdin.isTTY) {
        return interact(context, format, { readOnly, cancellation });
      }
      return runText(context, command ?? (await textOf(process.stdin)), format);
    },
  };
}

async function runText(context: ShellContext, sql: string, format: ResultFormat): Promise<void> {
  const [{ withShell }, { printResult, writerTo }] = await Promise.all([
    import("../../introspect/shell.js"),
    import("../shell-output.js"),
  ]);
  const write = writerTo(process.stdout);
  await withShell(context, async (shell) => {
    // A statement that fails shows nothing that needs a warning.
    const untold = [...shell.dates.warnings];
    const warn = () => {
      for (const warning of untold.splice(0)) printWarning(warning);
    };
    let isFirst = true;
    for await (const result of shell.run(sql, context.signal)) {
      warn();
      // JSON arrays need no blank line between them.
      if (!isFirst && format !== "json") await write("\n");
      isFirst = false;
      await printResult(result, format, write, printWarning);
    }
    warn();
  });
}

/** Opens a prompt: the duckdb command if it is installed, otherwise a read-only prompt. */
async function interact(
  context: ShellContext,
  format: ResultFormat,
  { readOnly, cancellation }: { readonly readOnly: boolean; readonly cancellation: Cancellation },
): Promise<void> {
  const [{ duckDbVersion, isNewEnough, runDuckDb }, { holdingsText, holdPrompt }] = await Promise.all([
    import("../shell-duckdb.js"),
    import("../shell-prompt.js"),
  ]);
  const version = readOnly ? undefined : await duckDbVersion();
  if (version !== undefined && isNewEnough(version)) {
    const { prepareDuckDb } = await import("../../introspect/duckdb-command.js");
    const start = await prepareDuckDb(context);
    printStart(holdingsText(start.holdings), start.dates);
    await runDuckDb(start, format === "table" ? [] : [`-${format}`], cancellation);
    return;
  }
  if (version !== undefined) printWarning(`duckdb ${version} is not used; version 1.5 or newer is required`);
  const { withShell } = await import("../../introspect/shell.js");
  await withShell(context, async (shell) => {
    printStart(holdingsText(shell.holdings), shell.dates);
    printError("This prompt is read-only. Type .help for help.");
    const { stdin: input, stdout: output } = process;
    await holdPrompt(shell, { input, output, terminal: output.isTTY, format, signal: context.signal });
  });
}

function printStart(holdings: string, { shown, warnings }: ShellDates): void {
  printError(`${holdings}\n\n${shown}`);
  for (const warning of warnings) printWarning(warning);
}

/** yargs would report the defaults of the two as a conflict. */
function refuseTwoFormats({ json, csv }: Record<string, unknown>): true {
  if (json !== true || csv !== true) return true;
  throw new PipelineError(
    "INVALID_USAGE",
    "--json cannot be combined with --csv; see npx pipeline shell --help",
  );
}
