// The pipeline, and what a person would use without it. Each makes the contract's curated, rejected and provision files.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { measured } from "./measured-process.mjs";

const project = path.resolve(import.meta.dirname, "..");
const main = path.join(project, "dist/cli/main.js");
const sources = path.join(import.meta.dirname, "contenders");
const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "voucher-pipeline");
const python = path.join(cache, "python/bench/bin");
const CSV_COLUMNS = [
  "timestamp",
  "country_code",
  "last_order_ts",
  "first_order_ts",
  "total_orders",
  "voucher_amount",
];

/**
 * @param location a folder or a URL on S3 below which there is `raw/vouchers`.
 * @param folder one of this machine, for what is kept beside.
 * @param spelling what the raw files are like; a name in spellings.sql, or undefined for other Parquet files.
 * @param memory the limit of DuckDB's memory in the pipeline and in the bare script, as `1GB`; undefined for their own.
 * @returns by its name: `run` empties what it left before, runs once and tells what it took; `output(table)` names the files of a
 * table; `missing` is why it cannot be run, if it cannot; `runsIn` is the program that runs the bare script.
 */
export function contendersOf({ date, folder, location, place, spelling, memory }) {
  const partitionKey = `${date}T000000`;
  const raw = `${location}/raw/vouchers/*.${spelling === "csv" ? "csv" : "parquet"}`;
  const partition = (zone, table) =>
    `${location}/${zone}/${table}/execution_date=${partitionKey}/data.parquet`;
  const missing = whyMissing(location, spelling);

  return {
    pipeline: {
      output: (table) => partition(table.endsWith("_most_used") ? "provision" : "curated", table),
      run: async () => {
        // Each round begins with empty zones and no database.
        for (const name of ["curated", "provision"]) await place.empty(name);
        for (const name of ["c.db", "c.db-wal", "c.db-shm"]) rmSync(path.join(folder, name), { force: true });
        return measured(process.execPath, [main, "-e", date, "--json"], {
          RAW_ZONE: `${location}/raw`,
          CURATED_ZONE: `${location}/curated`,
          PROVISION_ZONE: `${location}/provision`,
          RUN_REPORTS: `${location}/runs`,
          CONSUMPTION_URL: `sqlite:${path.join(folder, "c.db")}`,
          SQL_DIRECTORY: path.join(project, "sql"),
          ...(memory === undefined ? {} : { DUCKDB_MEMORY_LIMIT: memory }),
        });
      },
    },
    bare: {
      runsIn: duckdb === undefined ? "Node: no duckdb command line is installed" : "the duckdb command line",
      output: (table) => `${location}/bare/${table}.parquet`,
      run: async () => {
        await place.empty("bare");
        return runScript(
          `${place.prelude}${limit(memory, folder)}${viewOf(raw)} ` +
            `SET VARIABLE out = '${location}/bare'; SET VARIABLE execution_date = TIMESTAMP '${date}'; ` +
            `SET VARIABLE partition_key = '${partitionKey}';`,
          bareScript(folder, spelling),
        );
      },
    },
    dbt: {
      missing,
      output: (table) => `${location}/dbt/${table}.parquet`,
      run: () => {
        const out = emptied(path.join(location, "dbt"));
        const variables = { raw, out, execution_date: date, partition_key: partitionKey };
        const dbt = path.join(sources, "dbt");
        const folders = ["--project-dir", dbt, "--profiles-dir", dbt];
        return measured(
          path.join(python, "dbt"),
          ["build", "--quiet", ...folders, "--vars", JSON.stringify(variables)],
          {
            DBT_LOG_PATH: path.join(out, "logs"),
            DBT_TARGET_PATH: path.join(out, "target"),
            DO_NOT_TRACK: "1",
          },
        );
      },
    },
    spark: {
      missing,
      output: (table) => `${location}/spark/${table}/*.parquet`,
      run: () => {
        const out = emptied(path.join(location, "spark"));
        return measured(path.join(python, "python"), [
          path.join(sources, "spark.py"),
          raw,
          out,
          `${date}T00:00:00`,
          partitionKey,
        ]);
      },
    },
  };
}

/** Why dbt and Spark cannot be run, if they cannot. */
function whyMissing(location, spelling) {
  if (location.startsWith("s3://")) return "it is compared in folders alone";
  if (["typed", "csv"].includes(spelling)) return `it reads texts in Parquet alone, and not ${spelling}`;
  return existsSync(path.join(python, "dbt")) ? undefined : "it is not installed: bench/setup.sh";
}

/** DuckDB's own command line, if it is installed: by bench/setup.sh, or for the tests. */
const duckdb = (() => {
  const lib = path.join(python, "../lib");
  const versions = existsSync(lib) ? readdirSync(lib) : [];
  return [
    process.env.DUCKDB_CLI,
    process.env.TEST_DUCKDB_CLI,
    ...versions.map((version) => path.join(lib, version, "site-packages/duckdb_cli/duckdb")),
    path.join(process.env.VOUCHER_PIPELINE_CACHE ?? cache, "bin/duckdb"),
  ].find((file) => file !== undefined && existsSync(file));
})();

/** The script reads texts once and keeps what they say. Typed columns have no texts, and reading them twice costs less. */
function bareScript(folder, spelling) {
  const script = path.join(sources, "bare.sql");
  if (spelling !== "typed") return script;
  const streaming = path.join(folder, "bare-streaming.sql");
  const text = readFileSync(script, "utf8");
  writeFileSync(streaming, text.replace("CREATE TEMP TABLE typed", "CREATE VIEW typed"));
  return streaming;
}

function viewOf(raw) {
  if (raw.endsWith(".parquet"))
    return `CREATE VIEW raw AS FROM read_parquet('${raw}', filename = 'source_file', binary_as_string = true, hive_partitioning = false);`;
  const columns = CSV_COLUMNS.map((name) => `'${name}': 'VARCHAR'`).join(", ");
  // The script sorts what it writes, and a CSV file is read faster in any order. Parquet is not.
  return (
    "SET preserve_insertion_order = false; CREATE VIEW raw AS FROM " +
    `read_csv('${raw}', header = true, auto_detect = false, columns = { ${columns} }, filename = 'source_file');`
  );
}

function limit(memory, folder) {
  if (memory === undefined) return "";
  return `SET memory_limit = '${memory}'; SET temp_directory = '${folder}/spilled'; `;
}

const OPEN =
  'import { DuckDBInstance } from "@duckdb/node-api"; import { readFileSync } from "node:fs";' +
  'const connection = await (await DuckDBInstance.create(":memory:")).connect();';

/** Some statements and then a script, in the duckdb command line; if there is none, in a Node process that does nothing else. */
function runScript(statements, script) {
  if (duckdb !== undefined) return measured(duckdb, ["-bail", "-c", statements, "-f", script]);
  const program = `${OPEN}await connection.run(process.argv[1] + readFileSync(process.argv[2], "utf8"));`;
  return measured(process.execPath, ["--input-type=module", "-e", program, statements, script]);
}

/** Programs that do nothing but begin, by what they are. */
export const openingDuckDb = {
  node: () => measured(process.execPath, ["-e", "0"]),
  "node that opens DuckDB": () => measured(process.execPath, ["--input-type=module", "-e", OPEN]),
  ...(duckdb === undefined ? {} : { "duckdb command line": () => measured(duckdb, ["-c", "SELECT 1"]) }),
};

function emptied(directory) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  return directory;
}
