import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import * as z from "zod";
import { messageOf, PipelineError } from "./errors.js";
import { projectFolder } from "./project-folder.js";

/** Checked settings. Every part of the program gets what it needs from here; nothing else reads the environment. */
export interface Settings {
  readonly zones: { readonly raw: string; readonly curated: string; readonly provision: string };
  /** Where the consumption database is: `sqlite:<file>`. */
  readonly consumptionUrl: string;
  /** The folder that holds the versions of the SQL. */
  readonly sqlDirectory: string;
  readonly sqlVersion: string;
  /** The share of rows read that may be rejected, a decimal number from 0 to 1, kept as text so that it stays exact. */
  readonly maxRejectedShare: string;
  readonly host: string;
  readonly port: number;
  readonly duckdb: DuckDbSettings;
}

export interface DuckDbSettings {
  /** As DuckDB writes sizes, `4GB`; undefined for DuckDB's own choice. */
  readonly memoryLimit: string | undefined;
  readonly threads: number | undefined;
  /** The folder under which a run makes its own folder for what does not fit into memory. */
  readonly tempDirectory: string;
}

const text = z.string().min(1, { error: "is empty", abort: true });
const zone = text.refine((uri) => !/^[a-z][a-z0-9+.-]+:\/\//i.test(uri), "must be a folder");

const schema = z.object({
  RAW_ZONE: zone.default("data/raw"),
  CURATED_ZONE: zone.default("data/curated"),
  PROVISION_ZONE: zone.default("data/provision"),
  CONSUMPTION_URL: text
    .regex(/^sqlite:(?!:memory:|[a-z]+:\/\/)./i, "must be sqlite:<file>")
    .default("sqlite:data/consumption.db"),
  SQL_DIRECTORY: text.default(() => path.join(projectFolder(), "sql")),
  SQL_VERSION: text.regex(/^v[1-9][0-9]*$/, "must be a version as v1").default("v1"),
  MAX_REJECTED_SHARE: text
    .regex(/^(0(\.[0-9]{1,9})?|1(\.0{1,9})?)$/, "must be a decimal number from 0 to 1, as 0.5")
    .default("0.5"),
  HOST: text.default("127.0.0.1"),
  PORT: text
    .regex(/^[0-9]{1,5}$/, "must be a port number")
    .transform(Number)
    .refine((port) => port <= 65_535, "must be a port number up to 65535")
    .default(8000),
  DUCKDB_MEMORY_LIMIT: text
    .regex(/^[0-9]+(\.[0-9]+)? ?([KMGT]i?B)$/i, "must be a size as 4GB or 512MiB")
    .optional(),
  DUCKDB_THREADS: text
    .regex(/^[1-9][0-9]{0,2}$/, "must be a whole number from 1 to 999")
    .transform(Number)
    .optional(),
  DUCKDB_TEMP_DIRECTORY: text.default(() => path.join(os.tmpdir(), "voucher-pipeline")),
});

/**
 * Turns environment variables into checked settings. `.env.example` explains each one.
 * @throws PipelineError INVALID_SETTINGS that lists every fault at once.
 */
export function readSettings(environment: NodeJS.ProcessEnv = environmentOfProcess()): Settings {
  const parsed = schema.safeParse(environment);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `  ${issue.path.join(".")} ${issue.message}`);
    throw new PipelineError("INVALID_SETTINGS", ["these settings are wrong:", ...faults].join("\n"));
  }
  const value = parsed.data;
  return {
    zones: {
      raw: path.resolve(value.RAW_ZONE),
      curated: path.resolve(value.CURATED_ZONE),
      provision: path.resolve(value.PROVISION_ZONE),
    },
    consumptionUrl: value.CONSUMPTION_URL,
    sqlDirectory: path.resolve(value.SQL_DIRECTORY),
    sqlVersion: value.SQL_VERSION,
    maxRejectedShare: value.MAX_REJECTED_SHARE,
    host: value.HOST,
    port: value.PORT,
    duckdb: {
      memoryLimit: value.DUCKDB_MEMORY_LIMIT,
      threads: value.DUCKDB_THREADS,
      tempDirectory: path.resolve(value.DUCKDB_TEMP_DIRECTORY),
    },
  };
}

/** The process's environment, with what a file `.env` in the working directory adds to it. */
function environmentOfProcess(): NodeJS.ProcessEnv {
  if (!existsSync(".env")) return process.env;
  try {
    process.loadEnvFile(".env");
  } catch (error) {
    throw new PipelineError("INVALID_SETTINGS", `the file .env cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return process.env;
}
