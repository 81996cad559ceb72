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

/** The command that rebuilds a past run and compares the result. */
export function replayCommand(cancellation: Cancellation): CommandModule<object, ReplayArguments> {
  return {
    command: "replay <run>",
    describe: "Rebuild a past run and compare the result; writes nothing",
    builder: (yargs: Argv) =>
      yargs
        .positional("run", {
          type: "string",
          demandOption: true,
          describe: "Id of the run; pipeline runs lists them",
        })
        .option("current-sql", {
          type: "boolean",
          default: false,
          describe: "Use the current SQL instead of the SQL of the run",
        })
        .option("json", { type: "boolean", default: false, describe: "Print the comparison as JSON" })
        .example("$0 replay 2020-05-29T000000-0aa00fb62f7b", "Check that a run is reproducible"),
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
      : `byte for byte, and by row count for ${counting(byRows, "table")} with many files`;
  const verdict = is_same ? `is reproducible, compared ${how}` : "gives a different result";
  return [
    titledTable(`run ${run_id} ${verdict}`, rows),
    moved.length === 0
      ? "nothing has changed since: same input files, same SQL, same engine"
      : titledTable("changed since", moved),
  ].join("\n\n");
}

function replayDiffers({ run_id, moved }: ReplayReport): PipelineError {
  const cause =
    moved.length === 0
      ? "its input files, SQL and engine are unchanged. This is a bug; please report it"
      : `changed since: ${moved.map(({ what, name }) => `${what} ${name}`).join(", ")}`;
  return new PipelineError("REPLAY_DIFFERS", `run ${run_id} gives a different result; ${cause}`);
}
