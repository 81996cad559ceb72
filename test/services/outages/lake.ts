import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { pipeline } from "../../cli/command.js";
import { askMysql } from "../../consumption/servers.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { EXECUTION_DATE } from "../../run/running.js";
import { makeFolder } from "../../workspace.js";
import { ownDatabase, ownMinio, zonesOn, type OwnServer } from "../own-servers.js";
import type { MinioServer, SqlServer } from "../servers.mjs";

const BUCKET = "lake";
const TABLES = [
  "voucher_amount_usage",
  "voucher_answers",
  "voucher_country_most_used",
  "voucher_frequent_most_used",
  "voucher_recency_most_used",
];

/** What readers see. */
export interface Visible {
  /** The SHA-256 of every file of the zones that are written. */
  readonly files: Record<string, string>;
  /** The published rows, with what tells one publication from another. */
  readonly published: string;
}

/** A lake on servers of the test's own, over which the pipeline runs with the one raw file or the other. */
export interface Lake {
  readonly minio: OwnServer<MinioServer>;
  readonly mysql: OwnServer<SqlServer> & { readonly url: string };
  readonly environment: Record<string, string>;
  /** What an undisturbed run makes of each raw file. */
  readonly states: readonly [Visible, Visible];
  /** Puts one of the raw files in the place of the other. */
  putRaw(index: 0 | 1): Promise<void>;
  visible(): Promise<Visible>;
  /** What lies in staging. */
  staged(): Promise<string[]>;
}

export async function makeLake(kind: "mysql" | "mariadb"): Promise<Lake> {
  const [minio, mysql] = await Promise.all([ownMinio(BUCKET), ownDatabase(kind, "db")]);
  const { endpoint, credentials } = minio.current;
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  const environment = {
    ...zonesOn(minio, BUCKET),
    DUCKDB_TEMP_DIRECTORY: path.join(await makeFolder(), "temp"),
    CONSUMPTION_URL: mysql.url,
  };
  const raws = await Promise.all([rawFile(2640), rawFile(4400)]);
  const putRaw = async (index: 0 | 1) => {
    await client.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: "raw/vouchers/part.parquet", Body: raws[index] }),
    );
  };
  const keys = async (prefix: string) => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: prefix }));
    return Contents.flatMap(({ Key }) => Key ?? []);
  };
  const zoneKeys = async () => [...(await keys("curated/")), ...(await keys("provision/"))];
  const visible = async () => {
    const files: Record<string, string> = {};
    for (const key of await zoneKeys()) {
      if (key.includes("/_staging/")) continue;
      const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      files[key] = createHash("sha256")
        .update((await Body?.transformToByteArray()) ?? "")
        .digest("hex");
    }
    const asked = [
      "SELECT execution_date, data_hash, sql_hash, row_counts FROM publications",
      ...TABLES.map((table) => `SELECT * FROM ${table} ORDER BY 1, 2, 3, 4`),
    ];
    const published = [];
    for (const sql of asked) published.push(await askMysql(mysql.url, sql));
    return { files, published: JSON.stringify(published) };
  };
  const undisturbed = async (index: 0 | 1) => {
    await putRaw(index);
    const { code, stderr } = await pipeline(["-e", EXECUTION_DATE], environment);
    if (code !== 0) throw new Error(stderr);
    return visible();
  };
  return {
    minio,
    mysql,
    environment,
    states: [await undisturbed(0), await undisturbed(1)],
    putRaw,
    visible,
    staged: async () => (await zoneKeys()).filter((key) => key.includes("/_staging/")),
  };
}

/** A raw file of a few countries. */
async function rawFile(amount: number): Promise<Buffer> {
  const folder = await makeFolder();
  const countries = ["Peru", "Chile", "Perú", "中国"];
  const rows = countries.flatMap((country_code, index) =>
    times(index + 1, voucher({ country_code, voucher_amount: String(amount + index) })),
  );
  await putVouchers(folder, [...rows, voucher({ total_orders: "" })]);
  return readFile(path.join(folder, "vouchers/part.parquet"));
}
