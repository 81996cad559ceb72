import type { Argv, CommandModule } from "yargs";
import { counting } from "../../base/words.js";
import type {
  PlannedInput,
  PlannedPartition,
  PlannedPublish,
  PlannedRun,
  PlannedStatements,
} from "../../introspect/planned-run.js";
import type { Cancellation } from "../cancel.js";
import { print, printWarning } from "../output.js";
import { allowFutureOption, executionDateOption, type FutureOption } from "../run-options.js";

interface PlanArguments extends FutureOption {
  "execution-date": string;
  json: boolean;
}

/** The longest list of raw files that is printed; --json prints all. */
const TOLD = 20;

/** The command that shows the plan of a run. */
export function planCommand(cancellation: Cancellation): CommandModule<object, PlanArguments> {
  return {
    command: "plan",
    describe: "Show what a run would do, without doing it",
    builder: (yargs: Argv) =>
      yargs
        .option("execution-date", executionDateOption)
        .option("allow-future", allowFutureOption)
        .option("json", { type: "boolean", default: false, describe: "Print the plan as JSON" })
        .example("$0 plan -e 2020-05-29T00:00:00 | less", "Review a run before it starts"),
    handler: async ({ "allow-future": allowsFuture, "execution-date": text, json }) => {
      const [{ planOfRun }, { readSettings }, { parseDateToWrite }] = await Promise.all([
        import("../../introspect/planned-run.js"),
        import("../../settings/settings.js"),
        import("../../voucher/execution-date.js"),
      ]);
      const executionDate = parseDateToWrite(text, { allowsFuture });
      const plan = await planOfRun(readSettings(), executionDate, cancellation.signal, printWarning);
      print(json ? JSON.stringify(plan, null, 2) : await describe(plan));
    },
  };
}

async function describe(plan: PlannedRun): Promise<string> {
  const { rawNoticeTexts, titledTable } = await import("../../record/terminal.js");
  const { targets, publish } = plan;
  const facts = {
    lock: lockInWords(plan),
    sql: `${plan.sql_version}, ${plan.sql_hash}`,
    rendered: plan.rendered_sql_hash,
    engine: plan.engine,
    raw: targets.raw,
    curated: targets.curated,
    provision: targets.provision,
    consumption: targets.consumption,
  };
  const files = plan.raw.flatMap(filesOf);
  const more = files.length - TOLD;
  return [
    `plan of a run for ${plan.execution_date}; nothing was changed`,
    Object.entries(facts)
      .map(([name, value]) => `${name.padEnd(11)}  ${value}`)
      .join("\n"),
    titledTable(`raw files to read: ${files.length.toString()}`, files.slice(0, TOLD)) +
      (more > 0 ? `\n  and ${more.toString()} more` : ""),
    ...rawNoticeTexts({
      ignored_files: plan.ignored_files,
      same_bytes: [],
      off_cluster: plan.off_cluster,
    }),
    titledTable(
      "partitions to write",
      plan.partitions.map(({ model, uri, replaces }) => ({
        table: model,
        replaces: replaces === null ? "nothing" : replacedInWords(replaces),
        file: uri,
      })),
    ),
    `schema changes before the publish: ${changesInWords(publish)}`,
    ...plan.steps.map(stepSql),
    publishSql(publish),
  ].join("\n\n");
}

function lockInWords({ lock }: PlannedRun): string {
  if (!lock.is_held) return "free";
  const { holder } = lock;
  return holder === null
    ? "held by another run"
    : `held by ${holder.started_by}, since ${holder.started_at}, run ${holder.run_id}`;
}

function replacedInWords({ files, bytes }: NonNullable<PlannedPartition["replaces"]>): string {
  const inFiles = files === 1 ? "" : ` in ${counting(files, "file")}`;
  return `${bytes.toString()} bytes${inFiles}`;
}

/** One SELECT reads all files with the same group number. */
function filesOf({ model, groups }: PlannedInput): object[] {
  return groups.flatMap(({ format, files }, index) =>
    files.map(({ path, bytes }) => ({ model, group: index + 1, format, bytes, file: path })),
  );
}

function changesInWords({ migrations, new_tables, new_columns }: PlannedPublish): string {
  const changes = [
    ...migrations.map((name) => `migration ${name}`),
    ...new_tables.map(({ table }) => `new table ${table}`),
    ...new_columns.map(({ table }) => `new column of ${table}`),
  ];
  return changes.length === 0 ? "none" : changes.join(", ");
}

function stepSql({ file, statements }: PlannedStatements): string {
  return [
    `-- ${file}`,
    ...statements.map(
      ({ engine, sql, audits }) =>
        `${audits.length === 0 ? "" : `-- audits ${audits.join(", ")}\n`}${engine === "spark" ? "-- by Spark\n" : ""}${sql};`,
    ),
  ].join("\n");
}

function publishSql({ new_tables, new_columns, reads, statements }: PlannedPublish): string {
  return [
    "-- publish: read from DuckDB",
    ...reads.map(({ sql }) => `${sql};`),
    "",
    "-- publish: sent to the database",
    ...[...new_tables, ...new_columns].map(({ sql }) => `${sql};`),
    ...statements.map(({ sql, when }) => `${sql};${when === null ? "" : ` -- ${when}`}`),
  ].join("\n");
}
