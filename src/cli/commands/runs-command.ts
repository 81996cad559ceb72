import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../../base/errors.js";
import type { PastRun } from "../../record/past-run.js";
import type { Story } from "../../record/story.js";
import { print } from "../output.js";

interface RunsArguments {
  run: string | undefined;
  "execution-date": string | undefined;
  limit: number;
  json: boolean;
  markdown: boolean | undefined;
}

/** The command that shows the run history. */
export const runsCommand: CommandModule<object, RunsArguments> = {
  command: "runs [run]",
  describe: "List runs, or show one run in full",
  builder: (yargs: Argv) =>
    yargs
      .positional("run", { type: "string", describe: "Id of the run to show in full" })
      .option("execution-date", {
        alias: "e",
        type: "string",
        requiresArg: true,
        describe: "List only runs of this execution date",
      })
      .option("limit", {
        type: "number",
        default: 20,
        requiresArg: true,
        describe: "Maximum number of runs to list",
      })
      .option("json", { type: "boolean", default: false, describe: "Print the runs as JSON" })
      .option("markdown", {
        type: "boolean",
        describe: "Print the report of one run as Markdown",
      })
      .example("$0 runs", "List the latest runs")
      .example(
        "$0 runs 2020-05-29T000000-0aa00fb62f7b --markdown",
        "Print a report, for example for an e-mail",
      ),
  handler: async ({ run: runId, "execution-date": text, limit, json, markdown }) => {
    if (!Number.isSafeInteger(limit) || limit < 1)
      throw new PipelineError("INVALID_USAGE", "--limit must be a whole number above 0");
    if (markdown === true && runId === undefined)
      throw new PipelineError(
        "INVALID_USAGE",
        "--markdown needs the id of a run. List them with npx pipeline runs",
      );
    if (markdown === true && json)
      throw new PipelineError("INVALID_USAGE", "--markdown cannot be combined with --json");
    const [{ readHistory }, { readSettings }, { parseExecutionDate }] = await Promise.all([
      import("../../introspect/history.js"),
      import("../../settings/settings.js"),
      import("../../voucher/execution-date.js"),
    ]);
    const executionDate = text === undefined ? undefined : parseExecutionDate(text).partitionKey;
    const runs = await readHistory(readSettings(), { runId, executionDate, limit });
    const [first] = runs;
    if (runId !== undefined && first === undefined)
      throw new PipelineError(
        "INVALID_USAGE",
        `run ${runId} does not exist. List the runs with npx pipeline runs`,
      );
    if (markdown === true && first !== undefined) print(await markdownOfRun(first));
    else if (json) print(JSON.stringify(runId === undefined ? runs : first, null, 2));
    else print(runId === undefined || first === undefined ? await listOf(runs) : await textOfRun(first));
  },
};

async function storyOfRun(run: PastRun): Promise<Story> {
  const [{ toldRunOf }, { storyOf }] = await Promise.all([
    import("../../record/past-run.js"),
    import("../../record/story.js"),
  ]);
  return storyOf(toldRunOf(run));
}

async function markdownOfRun(run: PastRun): Promise<string> {
  const { markdownOf } = await import("../../record/markdown.js");
  return markdownOf(await storyOfRun(run)).trimEnd();
}

async function textOfRun(run: PastRun): Promise<string> {
  const { textOf } = await import("../../record/terminal.js");
  return textOf(await storyOfRun(run));
}

async function listOf(runs: readonly PastRun[]): Promise<string> {
  if (runs.length === 0) return "no runs yet";
  const { textTable } = await import("../../base/text-table.js");
  return textTable(
    runs.map(({ run_id, execution_date, outcome, stages, started_at, started_by, error_code, ...run }) => {
      const { report, withdrawals } = run;
      const [counts] = report?.measures["measures.row_accounting"] ?? [];
      return {
        run: run_id,
        execution_date,
        outcome,
        withdrawn: withdrawals.find((withdrawal) => withdrawal.outcome === "withdrawn")?.withdrawn_at ?? "",
        stages,
        started_at,
        seconds: report === null ? "" : Number(report.seconds.toFixed(1)),
        rows_read: counts?.["rows_read"] ?? "",
        rejected: counts?.["rejected"] ?? "",
        warnings: report?.warnings.length ?? "",
        error: error_code ?? "",
        started_by,
      };
    }),
  );
}
