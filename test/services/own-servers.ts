import path from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll } from "@jest/globals";
import { stillness } from "../cli/stillness.js";
import { askMysql } from "../consumption/servers.js";
import { makeFolder, PROJECT } from "../workspace.js";
import { startMariadb, startMinio, startMysql, type MinioServer, type SqlServer } from "./servers.mjs";

/** A server of the tests' own, that they can take away and bring back. */
export interface OwnServer<Kind extends MinioServer | SqlServer> {
  /** The process that runs now, or the one that has run last. */
  readonly current: Kind;
  /** Has it stand still: it takes connections and says nothing. */
  readonly pause: () => Promise<void>;
  readonly goOn: () => void;
  readonly stop: () => Promise<void>;
  /** Starts it with the same data, unless it runs. */
  readonly start: () => Promise<void>;
}

const own: { end(): Promise<void> }[] = [];

afterAll(async () => {
  for (const server of own.splice(0)) await server.end();
});

export async function ownMinio(bucket: string): Promise<OwnServer<MinioServer>> {
  const server = await ownServer(startMinio);
  const { endpoint, credentials } = server.current;
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return server;
}

export async function ownDatabase(
  kind: "mysql" | "mariadb",
  database: string,
): Promise<OwnServer<SqlServer> & { readonly url: string }> {
  const server = await ownSqlServer(kind);
  return { ...server, url: await databaseOn(server, database) };
}

/** @param settings options of the server, such as `--autocommit=0` */
export function ownSqlServer(
  kind: "mysql" | "mariadb",
  settings: readonly string[] = [],
): Promise<OwnServer<SqlServer>> {
  const starter = kind === "mysql" ? startMysql : startMariadb;
  return ownServer((options) => starter({ settings, ...options }));
}

/** Makes a database on that server, and gives the URL for it of the account that owns the server. */
export async function databaseOn({ current }: OwnServer<SqlServer>, database: string): Promise<string> {
  await askMysql(current.url, `CREATE DATABASE \`${database}\``);
  return new URL(database, current.url).href;
}

/** What a run needs to know to have its zones in a bucket of that server. */
export function zonesOn({ current }: OwnServer<MinioServer>, bucket: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: current.endpoint,
    AWS_ACCESS_KEY_ID: current.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: current.credentials.secretAccessKey,
    DUCKDB_EXTENSION_DIRECTORY: process.env["DUCKDB_EXTENSION_DIRECTORY"] ?? "",
    RAW_ZONE: `s3://${bucket}/raw`,
    CURATED_ZONE: `s3://${bucket}/curated`,
    PROVISION_ZONE: `s3://${bucket}/provision`,
    RUN_REPORTS: `s3://${bucket}/runs`,
  };
}

/** Zones in a folder, with the sample as raw files. */
export function sampleIn(folder: string): Record<string, string> {
  return {
    RAW_ZONE: path.join(PROJECT, "data/raw"),
    CURATED_ZONE: path.join(folder, "curated"),
    PROVISION_ZONE: path.join(folder, "provision"),
    RUN_REPORTS: path.join(folder, "runs"),
  };
}

async function ownServer<Kind extends MinioServer | SqlServer>(
  starter: (options: Kind | { directory: string }) => Promise<Kind>,
): Promise<OwnServer<Kind>> {
  let current = await starter({ directory: path.join(await makeFolder(), "server") });
  let runs = true;
  const send = (signal: NodeJS.Signals) => {
    if (runs) process.kill(current.pid, signal);
  };
  const stop = async () => {
    runs = false;
    await current.stop("SIGKILL");
  };
  own.push({ end: stop });
  return {
    get current() {
      return current;
    },
    pause: async () => {
      send("SIGSTOP");
      await stillness(current.pid);
    },
    goOn: () => {
      send("SIGCONT");
    },
    stop,
    start: async () => {
      if (runs) return;
      current = await starter(current);
      runs = true;
    },
  };
}
