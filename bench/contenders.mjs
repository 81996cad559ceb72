// The pipeline, and what a person would use without it. Each makes the contract's curated, rejected and provision files.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { measured } from "./measured-process.mjs";

const project = path.resolve(import.meta.dirname, "..");
const main = path.join(project, "dist/cli/main.js");
const sources = path.join(import.meta.dirname, "contenders");
const python = path.join(
  process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"),
  "voucher-pipeline/python/bench/bin",
);

/**
 * @param location a folder or a URL on S3 below which there is `raw/vouchers`.
 * @param folder one of this machine, for what is kept beside.
 * @param memory the limit of DuckDB's memory in the pipeline and in the bare script, as `1GB`; undefined for their own.
 * @returns by its name: `run` empties what it left before, runs once and tells what it took; `output(table)` names the files of a
 * provision table; `missing` is why it cannot be run, if it cannot.
 */
export function contendersOf({ date, folder, location, place, memory }) {
  const partitionKey = `${date}T000000`;
  const raw = `${location}/raw/vouchers/*.parquet`;
  const isLocal = !location.startsWith("s3://");
  const onlyLocal = isLocal ? undefined : "it is compared in folders alone";
  const notInstalled = existsSync(path.join(python, "dbt"))
    ? undefined
    : "it is not installed: bench/setup.sh";

  const limit =
    memory === undefined ? "" : `SET memory_limit = '${memory}'; SET temp_directory = '${folder}/spilled'; `;

  const bare = (name, script) => ({
    output: (table) => `${location}/${name}/${table}.parquet`,
    run: async () => {
      await place.empty(name);
      const variables =
        `${place.prelude}${limit}SET VARIABLE raw = '${raw}'; SET VARIABLE out = '${location}/${name}'; ` +
        `SET VARIABLE execution_date = TIMESTAMP '${date}'; SET VARIABLE partition_key = '${partitionKey}';`;
      return runScript(variables, script);
    },
  });
  const ordered = path.join(sources, "bare.sql");
  const unordered = path.join(folder, "bare-unordered.sql");
  writeFileSync(unordered, readFileSync(ordered, "utf8").replaceAll(/^ *ORDER BY ALL\n/gm, ""));

  return {
    pipeline: {
      output: (table) => `${location}/provision/${table}/execution_date=${partitionKey}/data.parquet`,
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
    bare: bare("bare", ordered),
    "bare-unordered": bare("bare-unordered", unordered),
    dbt: {
      missing: onlyLocal ?? notInstalled,
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
            DBT_DATABASE: path.join(out, "dbt.db"),
            DBT_LOG_PATH: path.join(out, "logs"),
            DBT_TARGET_PATH: path.join(out, "target"),
            DO_NOT_TRACK: "1",
          },
        );
      },
    },
    spark: {
      missing: onlyLocal ?? notInstalled,
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

/** The script runs in the duckdb command line where DUCKDB_CLI names it, else in a bare Node process. */
function runScript(variables, script) {
  const { DUCKDB_CLI: cli } = process.env;
  if (cli !== undefined) return measured(cli, ["-c", variables, "-f", script]);
  const program =
    'import { DuckDBInstance } from "@duckdb/node-api"; import { readFileSync } from "node:fs";' +
    'const connection = await (await DuckDBInstance.create(":memory:")).connect();' +
    "await connection.run(process.argv[1] + readFileSync(process.argv[2], 'utf8'));";
  return measured(process.execPath, ["--input-type=module", "-e", program, variables, script]);
}

function emptied(directory) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  return directory;
}
