import path from "node:path";
import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../../base/errors.js";
import { counted } from "../../base/words.js";
import type { Comparison } from "../../record/comparison.js";
import type { Settings } from "../../settings/settings.js";
import type { Cancellation } from "../cancel.js";
import { openedLog } from "../opened-log.js";
import { print, printWarning } from "../output.js";
import { executionDateOption, parseMaxChanged } from "../run-options.js";

interface CompareArguments {
  "execution-date": string;
  sql: string | undefined;
  "sql-version": string | undefined;
  against: string | undefined;
  campaign: string | undefined;
  "as-of": string | undefined;
  "max-changed": string | undefined;
  "ignore-toss-ups": boolean;
  markdown: boolean;
  json: boolean;
}

/** The name of a version, as the folder that holds its SQL. */
const VERSION = /^v[1-9][0-9]*$/;

/** The command that shows what some SQL would change for readers. */
export function compareCommand(cancellation: Cancellation): CommandModule<object, CompareArguments> {
  return {
    command: "compare",
    describe: "Show which answers other SQL would change; writes nothing",
    builder: (yargs: Argv) =>
      yargs
        .option("execution-date", executionDateOption)
        .option("sql", {
          type: "string",
          requiresArg: true,
          describe: "Folder of a SQL version, or of versions; default: SQL_DIRECTORY",
        })
        .option("sql-version", {
          type: "string",
          requiresArg: true,
          describe: "SQL version to build, for example v2; default: SQL_VERSION",
        })
        .option("against", {
          type: "string",
          requiresArg: true,
          describe: "Compare with the readers of this profile, for example prod",
        })
        .option("campaign", {
          type: "string",
          requiresArg: true,
          describe: "Also price this CSV file of customers before and after",
        })
        .option("as-of", {
          type: "string",
          requiresArg: true,
          describe: "Day for the recency of these customers; default: today",
        })
        .option("max-changed", {
          type: "string",
          requiresArg: true,
          describe: "Exit 3 if more answers change (5 or 10%)",
        })
        .option("ignore-toss-ups", {
          type: "boolean",
          default: false,
          describe: "Do not count toss-ups for --max-changed",
        })
        .option("markdown", {
          type: "boolean",
          default: false,
          describe: "Print Markdown, for example for a pull request",
        })
        .option("json", { type: "boolean", default: false, describe: "Print the comparison as JSON" })
        .example("$0 compare -e 2020-05-29 --sql-version v2", "Show what v2 would change")
        .example(
          "$0 compare -e 2020-05-29 --campaign customers.csv",
          "Price a campaign before and after a change",
        ),
    handler: async (options) => {
      assertUsable(options);
      const [
        { compareSql },
        { readSettings, readSettingsOfProfile },
        { parseExecutionDate },
        { RunActivity },
        { showingProgress, stepsInWords },
      ] = await Promise.all([
        import("../../introspect/compare.js"),
        import("../../settings/settings.js"),
        import("../../voucher/execution-date.js"),
        import("../../run/activity.js"),
        import("../progress.js"),
      ]);
      const { against, "max-changed": maxChanged, "ignore-toss-ups": ignoresTossUps } = options;
      const settings = withSql(readSettings(), options);
      const request = {
        executionDate: parseExecutionDate(options["execution-date"]),
        against:
          against === undefined ? undefined : { profile: against, settings: readSettingsOfProfile(against) },
        limit:
          maxChanged === undefined ? undefined : { maxChanged: parseMaxChanged(maxChanged), ignoresTossUps },
        campaign:
          options.campaign === undefined
            ? undefined
            : { file: options.campaign, asOf: await dayOf(options["as-of"]) },
      };
      const log = openedLog();
      const activity = new RunActivity(log);
      cancellation.steps = () => activity.steps;
      const comparison = await showingProgress(
        () => stepsInWords(activity),
        () => compareSql(settings, request, cancellation.signal, activity),
      );
      // The log already has them.
      if (log === undefined) activity.warnings.forEach(printWarning);
      print(options.json ? JSON.stringify(comparison, null, 2) : await inWords(comparison, options));
      if (comparison.gate?.outcome === "stopped") throw tooManyChanges(comparison.gate, ignoresTossUps);
    },
  };
}

function assertUsable({
  campaign,
  json,
  markdown,
  "as-of": asOf,
  "ignore-toss-ups": ignoresTossUps,
  "max-changed": maxChanged,
}: CompareArguments): void {
  const wrong =
    json && markdown
      ? "--markdown cannot be combined with --json"
      : asOf !== undefined && campaign === undefined
        ? "--as-of needs --campaign"
        : ignoresTossUps && maxChanged === undefined
          ? "--ignore-toss-ups needs --max-changed"
          : undefined;
  if (wrong !== undefined) throw new PipelineError("INVALID_USAGE", wrong);
}

/** The settings with the SQL of the options. */
function withSql(
  settings: Settings,
  { sql, "sql-version": version }: Pick<CompareArguments, "sql" | "sql-version">,
): Settings {
  if (version !== undefined && !VERSION.test(version))
    throw new PipelineError("INVALID_USAGE", "--sql-version must be a version, for example v2");
  const folder = sql === undefined ? settings.sqlDirectory : path.resolve(sql);
  const name = path.basename(folder);
  // The folder of one version has its name.
  if (sql === undefined || !VERSION.test(name))
    return { ...settings, sqlDirectory: folder, sqlVersion: version ?? settings.sqlVersion };
  if (version !== undefined && version !== name)
    throw new PipelineError(
      "INVALID_USAGE",
      `--sql is the folder of ${name}, but --sql-version is ${version}`,
    );
  return { ...settings, sqlDirectory: path.dirname(folder), sqlVersion: name };
}

async function dayOf(text: string | undefined): Promise<Date> {
  if (text === undefined) return new Date();
  const { parseMoment } = await import("../../voucher/moment.js");
  const day = parseMoment(text);
  if (day !== undefined) return day;
  throw new PipelineError("INVALID_USAGE", `--as-of ${text} is not a valid day. Use for example 2020-05-29`);
}

async function inWords(
  comparison: Comparison,
  { markdown }: Pick<CompareArguments, "markdown">,
): Promise<string> {
  const { comparisonStoryOf } = await import("../../record/comparison.js");
  const story = comparisonStoryOf(comparison);
  if (!markdown) return (await import("../../record/terminal.js")).textOf(story);
  return (await import("../../record/markdown.js")).markdownOf(story).trimEnd();
}

function tooManyChanges(
  { counted: counting, max_changed: limit }: NonNullable<Comparison["gate"]>,
  ignoresTossUps: boolean,
): PipelineError {
  return new PipelineError(
    "TOO_MANY_CHANGES",
    `${counted(counting ?? 0)} answers would change${ignoresTossUps ? ", toss-ups not counted" : ""}, ` +
      `the limit is ${counted(limit)}. Review the changes, or use a higher --max-changed`,
  );
}
