import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../../base/errors.js";
import type { RejectedReport } from "../../introspect/rejected.js";
import type { Cancellation } from "../cancel.js";
import { print, printWarning } from "../output.js";
import { executionDateOption } from "../run-options.js";

interface RejectedArguments {
  "execution-date": string;
  rows: number;
  json: boolean;
}

/** The command that shows rejected rows, the reasons, and the answers they could change. */
export function rejectedCommand(cancellation: Cancellation): CommandModule<object, RejectedArguments> {
  return {
    command: "rejected",
    describe: "Show rejected rows and the answers they could change",
    builder: (yargs: Argv) =>
      yargs
        .option("execution-date", executionDateOption)
        .option("rows", {
          type: "number",
          default: 10,
          requiresArg: true,
          describe: "Number of rejected rows to show in full",
        })
        .option("json", { type: "boolean", default: false, describe: "Print the report as JSON" })
        .example("$0 rejected -e 2020-05-29T00:00:00", "Show the rejected rows of 29 May 2020"),
    handler: async ({ "execution-date": text, rows, json }) => {
      if (!Number.isSafeInteger(rows) || rows < 0)
        throw new PipelineError("INVALID_USAGE", "--rows must be a whole number");
      const [{ reportRejected }, { readSettings }, { parseExecutionDate }] = await Promise.all([
        import("../../introspect/rejected.js"),
        import("../../settings/settings.js"),
        import("../../voucher/execution-date.js"),
      ]);
      const request = { executionDate: parseExecutionDate(text), rows };
      const report = await reportRejected(readSettings(), request, cancellation.signal, printWarning);
      print(json ? JSON.stringify(report, null, 2) : await describe(report));
    },
  };
}

async function describe(report: RejectedReport): Promise<string> {
  const { execution_date, failed_run, measures, rejected, rows } = report;
  if (rejected === 0 && failed_run === null) return `no rejected rows for ${execution_date}`;
  const { measureTables, titledTable } = await import("../../record/terminal.js");
  // The reasons come first, because the other values can be long.
  const reasonsFirst = rows.map(({ reject_reasons, source_file, ...values }) => ({
    reject_reasons,
    source_file,
    ...values,
  }));
  return [
    ...(failed_run === null ? [] : [failedInWords(execution_date, failed_run)]),
    ...measureTables(measures),
    titledTable(`rejected rows, ${rows.length.toString()} of ${rejected.toString()}`, reasonsFirst),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function failedInWords(
  executionDate: string,
  { run_id, outcome, error_code }: NonNullable<RejectedReport["failed_run"]>,
): string {
  const why = error_code === null ? "" : ` with ${error_code}`;
  return (
    `the last run for ${executionDate}, ${run_id}, ${outcome === "failed" ? "failed" : `was ${outcome}`}${why}. ` +
    "Its record holds these numbers; its rejected rows are not kept. Use --keep-staged to keep them"
  );
}
