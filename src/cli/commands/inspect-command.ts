import type { Argv, CommandModule } from "yargs";
import { EXIT_CODES, endWith } from "../../base/exit-codes.js";
import { printable } from "../../base/words.js";
import type { InspectedRawFile, InspectionReport } from "../../introspect/inspect.js";
import type { Cancellation } from "../cancel.js";
import { print, printWarning } from "../output.js";

interface InspectArguments {
  json: boolean;
}

/** The command that inspects the raw files. */
export function inspectCommand(cancellation: Cancellation): CommandModule<object, InspectArguments> {
  return {
    command: "inspect",
    describe: "Show columns, rows and faults of raw files; exit 3 if any",
    builder: (yargs: Argv) =>
      yargs
        .option("json", { type: "boolean", default: false, describe: "Print the report as JSON" })
        .example("$0 inspect", "Inspect a delivery before the run"),
    handler: async ({ json }) => {
      const [{ inspectRawZone }, { RunActivity }, { readSettings }, { showingProgress, stepsInWords }] =
        await Promise.all([
          import("../../introspect/inspect.js"),
          import("../../run/activity.js"),
          import("../../settings/settings.js"),
          import("../progress.js"),
        ]);
      const activity = new RunActivity();
      const report = await showingProgress(
        () => stepsInWords(activity),
        () => inspectRawZone(readSettings(), cancellation.signal, activity),
      );
      activity.warnings.forEach(printWarning);
      print(json ? JSON.stringify(report, null, 2) : await describe(report));
      if (report.files.some(({ faults }) => faults.length > 0)) endWith(EXIT_CODES.data);
    },
  };
}

async function describe(report: InspectionReport): Promise<string> {
  const { raw_zone, files } = report;
  const [{ rawNoticeTexts, titledTable }, { columnsInWords }, { reasonRows }] = await Promise.all([
    import("../../record/terminal.js"),
    import("../../record/findings-in-words.js"),
    import("../../record/row-counts.js"),
  ]);
  const readable = files.filter(({ faults }) => faults.length === 0);
  const heading = `raw files in ${printable(raw_zone)}: ${files.length.toString()}, readable: ${readable.length.toString()}`;
  const groups = sameColumns(readable).map(([columns, alike]) =>
    titledTable(
      printable(columnsInWords(columns)),
      alike.map(({ path, bytes, contents }) => ({ file: path, bytes, ...contents })),
    ),
  );
  return [
    heading,
    ...groups,
    ...listed(files),
    ...(report.rejected.rejected === 0
      ? []
      : [titledTable(rejectedInWords(report.rejected), reasonRows(report.rejected.reasons))]),
    ...rawNoticeTexts(report),
  ].join("\n\n");
}

function rejectedInWords({ rows_read, rejected, is_too_many }: InspectionReport["rejected"]): string {
  const fails = is_too_many ? ". This exceeds MAX_REJECTED_SHARE; a run would fail" : "";
  return `rows rejected by a run: ${rejected.toString()} of ${rows_read.toString()}${fails}`;
}

type Columns = NonNullable<InspectedRawFile["columns"]>;

/** Groups files that have the same columns in any order. Each group shows the columns of its first file. */
function sameColumns(files: readonly InspectedRawFile[]): [Columns, InspectedRawFile[]][] {
  const groups = new Map<string, [Columns, InspectedRawFile[]]>();
  for (const file of files) {
    const columns = file.columns ?? [];
    const signature = columns
      .map((column) => JSON.stringify(column))
      .sort()
      .join();
    const group = groups.get(signature);
    if (group === undefined) groups.set(signature, [columns, [file]]);
    else group[1].push(file);
  }
  return [...groups.values()];
}

function listed(files: readonly InspectedRawFile[]): string[] {
  const faulty = files.filter(({ faults }) => faults.length > 0);
  if (faulty.length === 0) return [];
  const lines = faulty.flatMap(({ path, faults }) =>
    faults.map((reason) => `  ${printable(path)}: ${printable(reason)}`),
  );
  return [[`unreadable files: ${faulty.length.toString()}`, ...lines].join("\n")];
}
