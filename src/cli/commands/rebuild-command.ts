import type { Argv, CommandModule } from "yargs";
import { counting } from "../../base/words.js";
import type { RebuildReport } from "../../run/rebuild.js";
import type { Cancellation } from "../cancel.js";
import { openedLog } from "../opened-log.js";
import { print, printWarning } from "../output.js";

interface RebuildArguments {
  table: string;
  "drop-old": boolean;
  "replace-version": boolean;
  "allow-changed-raw": boolean;
  json: boolean;
}

/** The command that builds a published table again after its columns or its key changed. */
export function rebuildCommand(cancellation: Cancellation): CommandModule<object, RebuildArguments> {
  return {
    command: "rebuild <table>",
    describe: "Build a published table again after its model changed",
    builder: (yargs: Argv) =>
      yargs
        .positional("table", {
          type: "string",
          demandOption: true,
          describe: "Name of the published table",
        })
        .option("drop-old", {
          type: "boolean",
          default: false,
          describe: "Remove the table that was replaced",
        })
        .option("replace-version", {
          type: "boolean",
          default: false,
          describe: "Replace publications of another SQL version",
        })
        .option("allow-changed-raw", {
          type: "boolean",
          default: false,
          describe: "Run dates again whose raw files have changed",
        })
        .option("json", { type: "boolean", default: false, describe: "Print the result as JSON" })
        .example("$0 rebuild voucher_recency_most_used", "After a column was renamed")
        .example("$0 rebuild voucher_recency_most_used --drop-old", "If nobody needs the old table"),
    handler: async ({
      table,
      "drop-old": dropOld,
      "replace-version": replacesVersion,
      "allow-changed-raw": allowsChangedRaw,
      json,
    }) => {
      const [{ rebuildTable }, { RunActivity }, { readSettings }, { showingProgress, stepsInWords }] =
        await Promise.all([
          import("../../run/rebuild.js"),
          import("../../run/activity.js"),
          import("../../settings/settings.js"),
          import("../progress.js"),
        ]);
      const settings = readSettings();
      const activity = new RunActivity(openedLog());
      cancellation.steps = () => activity.steps;
      const report = await showingProgress(
        () => stepsInWords(activity),
        () =>
          rebuildTable(
            settings,
            { table, dropOld, replacesVersion, allowsChangedRaw },
            cancellation.signal,
            activity,
          ),
      );
      activity.warnings.forEach(printWarning);
      print(json ? JSON.stringify(report, null, 2) : textOf(report));
    },
  };
}

function textOf({ table, differences, dates, left_out, old_table, blocked }: RebuildReport): string {
  const copied = dates.filter(({ from }) => from === "partition").length;
  return [
    ...(differences.length === 0
      ? [`The table ${table} is as its model says.`]
      : [
          `The table ${table} is built again, because ${differences.join("; ")}.`,
          `${counting(copied, "date")} came from the provision zone. ${counting(dates.length - copied, "date")} ran again.`,
        ]),
    ...(left_out.length === 0
      ? []
      : [
          `These withdrawn dates have no rows in it: ${left_out.join(", ")}. Run them before you restore them.`,
        ]),
    ...(blocked === null ? [] : [`The dates are not published again yet: ${blocked}`]),
    ...(old_table === null
      ? []
      : [`The old table is ${old_table}. To remove it: npx pipeline rebuild ${table} --drop-old`]),
  ].join("\n");
}
