import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../../base/errors.js";
import { counting } from "../../base/words.js";
import type { ReplayReport } from "../../introspect/replay.js";
import type { Cancellation } from "../cancel.js";
import { print, printWarning } from "../output.js";

interface ReplayArguments {
  run: string;
  "current-sql": boolean;
  json: boolean;
}

/** The command that makes once more what a run has made, and compares. */
export function replayCommand(cancellation: Cancellation): CommandModule<object, ReplayArguments> {
  return {
    command: "replay <run>",
    describe: "Make once more what a run has made, and say whether it is the same; changes nothing",
    builder: (yargs: Argv) =>
      yargs
        .positional("run", {
          type: "string",
          demandOption: true,
          describe: "The id of a run, see pipeline runs",
        })
        .option("current-sql", {
          type: "boolean",
          default: false,
          describe: "Use the SQL as it is now, in the place of that of the run",
        })
        .option("json", { type: "boolean", default: false, describe: "Print the result as JSON" })
        .example("$0 replay 2020-05-29T000000-0aa00fb62f7b", "See whether a run gives the same bytes again"),
    handler: async ({ run: runId, "current-sql": usesCurrentSql, json }) => {
      const [{ replayRun }, { readSettings }] = await Promise.all([
        import("../../introspect/replay.js"),
        import("../../settings/settings.js"),
      ]);
      const request = { runId, usesCurrentSql };
      const report = await replayRun(readSettings(), request, cancellation.signal, printWarning);
      print(json ? JSON.stringify(report, null, 2) : await textOf(report));
      if (!report.is_same) throw replayDiffers(report);
    },
  };
}

async function textOf({ run_id, is_same, tables, moved }: ReplayReport): Promise<string> {
  const { titledTable } = await import("../../record/terminal.js");
  const rows = tables.map(({ model, compared, then, now }) => ({
    table: model,
    compared,
    same: then === now,
    then,
    now,
  }));
  const byRows = tables.filter(({ compared }) => compared === "rows").length;
  const how =
    byRows === 0
      ? "byte for byte"
      : `byte for byte, and row count for row count where ${counting(byRows, "table has", "tables have")} many files`;
  const verdict = is_same ? `gives the same again, ${how}` : "does not give the same again";
  return [
    titledTable(`the run ${run_id} ${verdict}`, rows),
    moved.length === 0
      ? "nothing has moved since: not what it read, not the SQL, not the engine"
      : titledTable("moved since", moved),
  ].join("\n\n");
}

function replayDiffers({ run_id, moved }: ReplayReport): PipelineError {
  const cause =
    moved.length === 0
      ? "nothing that is known has moved: this should not be; please report it"
      : `moved since: ${moved.map(({ what, name }) => `${what} ${name}`).join(", ")}`;
  return new PipelineError("REPLAY_DIFFERS", `the run ${run_id} does not give what it gave; ${cause}`);
}
