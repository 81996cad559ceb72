import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../../base/errors.js";
import { EXIT_CODES, endWith } from "../../base/exit-codes.js";
import { counting, printable } from "../../base/words.js";
import type { StatusReport } from "../../introspect/status.js";
import type { StaleDate } from "../../run/date-runs.js";
import { print } from "../output.js";

interface StatusArguments {
  from: string | undefined;
  to: string | undefined;
  "max-age": number | undefined;
  deep: boolean;
  json: boolean;
}

/** The longest list that is printed; --json prints all entries. */
const TOLD = 20;

/** The command that checks freshness and health, for people and monitors. */
export const statusCommand: CommandModule<object, StatusArguments> = {
  command: "status",
  describe: "Show freshness; exit 3 if dates are missing, stale or failed",
  builder: (yargs: Argv) =>
    yargs
      .option("from", {
        type: "string",
        requiresArg: true,
        describe: "First day to check; default: the oldest publication",
      })
      .option("to", {
        type: "string",
        requiresArg: true,
        describe: "Last day to check; default: the newest publication",
      })
      .option("max-age", {
        type: "number",
        requiresArg: true,
        describe: "Maximum age of the newest publication in days; default: no limit",
      })
      .option("deep", {
        type: "boolean",
        default: false,
        describe: "Compare every published row with its recorded publication",
      })
      .option("json", { type: "boolean", default: false, describe: "Print the status as JSON" })
      .example("$0 status --max-age 1", "Exit 3 if the answers are older than yesterday")
      .example("$0 status --deep", "Also find published rows that were changed or deleted"),
  handler: async ({ from, to, "max-age": maxAgeDays, deep, json }) => {
    if (maxAgeDays !== undefined && !(maxAgeDays >= 0))
      throw new PipelineError("INVALID_USAGE", "--max-age must be a number of days, 0 or more");
    const [{ readStatus }, { readSettings }, { parseExecutionDate }] = await Promise.all([
      import("../../introspect/status.js"),
      import("../../settings/settings.js"),
      import("../../voucher/execution-date.js"),
    ]);
    const dateOf = (text: string | undefined) => (text === undefined ? undefined : parseExecutionDate(text));
    const request = { from: dateOf(from), to: dateOf(to), maxAgeDays, deep, now: new Date() };
    const status = await readStatus(readSettings(), request);
    print(json ? JSON.stringify(status, null, 2) : await describe(status));
    if (!status.healthy) endWith(EXIT_CODES.data);
  },
};

async function describe({
  newest,
  range,
  published,
  missing,
  withdrawn,
  stale,
  outdated,
  failed,
  ignored_files,
  same_bytes,
  deep,
  healthy,
}: StatusReport): Promise<string> {
  const [{ rawNoticeTexts }, { certaintyOfAnswers }] = await Promise.all([
    import("../../record/terminal.js"),
    import("../../record/sentences.js"),
  ]);
  return [
    newest === null
      ? "no publication yet"
      : `newest publication: ${newest.execution_date}, ${ageInWords(newest)}`,
    ...(newest?.answers == null ? [] : [certaintyOfAnswers(newest.answers, newest.certainty)]),
    ...(range === null ? [] : [`published: ${published.toString()} from ${range.from} to ${range.to}`]),
    ...listed("missing", missing),
    ...listed(
      "withdrawn",
      withdrawn.map(
        ({ execution_date, withdrawn_by, withdrawn_at, why }) =>
          `${execution_date}: by ${withdrawn_by} at ${withdrawn_at}: ${printable(why)}`,
      ),
    ),
    ...listed(
      "stale",
      stale.map(({ execution_date, files }) => `${execution_date}: ${filesInWords(files)}`),
    ),
    ...listed(
      "outdated",
      outdated.map(
        ({ execution_date, sql_version }) => `${execution_date}: other SQL, ${printable(sql_version)}`,
      ),
    ),
    ...renewal(outdated),
    ...listed(
      "failed",
      failed.map(
        ({ execution_date, run_id, outcome, error_code }) =>
          `${execution_date}: ${outcome}${error_code === null ? "" : ` with ${error_code}`}; see npx pipeline runs ${run_id}`,
      ),
    ),
    ...rawNoticeTexts({ ignored_files, same_bytes }),
    ...(deep === undefined ? [] : deepInWords(deep)),
    ...(healthy ? ["all is well"] : []),
  ].join("\n");
}

/** The command that renews dates which are published by other SQL. */
function renewal(outdated: StatusReport["outdated"]): string[] {
  const dates = outdated.map(({ execution_date }) => execution_date.replace("T00:00:00Z", "")).sort();
  const [first, last] = [dates[0], dates.at(-1)];
  if (first === undefined || last === undefined) return [];
  const replaces = outdated.some(({ replaces_version }) => replaces_version) ? " --replace-version" : "";
  return [
    `  to renew them, run npx pipeline backfill --from ${first} --to ${last} --only outdated${replaces}`,
  ];
}

function deepInWords({
  compared,
  differences,
  not_compared,
  unpublished,
  tables,
  damage,
}: NonNullable<StatusReport["deep"]>): string[] {
  return [
    `published rows compared with their record: ${counting(compared, "publication")}`,
    ...listed(
      "rows differ",
      differences.map(
        ({ execution_date, table, rows_published, rows_found }) =>
          `${execution_date}: ${table} has ${rows_found?.toString() ?? "unreadable"} rows instead of ${rows_published.toString()}; ` +
          `run npx pipeline publish -e ${execution_date}`,
      ),
    ),
    ...listed(
      "not compared",
      not_compared.map(({ execution_date, why }) => `${execution_date}: ${why}`),
    ),
    ...listed(
      "rows of unpublished dates",
      unpublished.map(
        ({ execution_date, table, rows_found }) =>
          `${printable(execution_date)}: ${table} has ${counting(rows_found, "row")}; delete them or run the date`,
      ),
    ),
    ...listed(
      "tables differ",
      tables.map(({ table, what }) => `${table}: ${printable(what)}`),
    ),
    ...listed("database damaged", damage.map(printable)),
  ];
}

function ageInWords({ age_days, days_ahead, too_old }: NonNullable<StatusReport["newest"]>): string {
  if (days_ahead !== undefined) return `${counting(days_ahead, "day")} ahead of the clock`;
  return `${age_days.toString()} days old${too_old ? ": too old" : ""}`;
}

/** `vouchers/a.csv has changed and 2 more`. */
function filesInWords([first, ...others]: StaleDate["files"]): string {
  if (first === undefined) return "";
  const more = others.length > 0 ? ` and ${others.length.toString()} more` : "";
  return `${printable(first.path)} has ${first.change}${more}`;
}

function listed(name: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length - TOLD;
  return [
    `${name}: ${lines.length.toString()}`,
    ...lines.slice(0, TOLD).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more.toString()} more`] : []),
  ];
}
