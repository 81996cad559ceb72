import { readFile } from "node:fs/promises";
import path from "node:path";
import { query, writeParquet } from "./duckdb.js";
import { getFile, putFile } from "./storage.js";
import { makeFolder } from "./workspace.js";

/** Where the files of a partition are that a test has made many of one. */
export const MADE_BY = "2020-05-29T000000-c1u57e4";

/**
 * Makes two files, with a manifest, of the one file of a partition, as a cluster would have written it. The one file stays, with
 * nothing in it that can be read, as where a run is killed before it has removed it.
 */
export async function makeManyOf(zone: string, table: string, partitionKey: string): Promise<void> {
  const folder = `${table}/execution_date=${partitionKey}`;
  const work = await makeFolder();
  const one = path.join(work, "data.parquet");
  await putFile(work, "data.parquet", await getFile(zone, `${folder}/data.parquet`));
  const [counted] = await query(`SELECT count(*) AS rows FROM read_parquet('${one}')`);
  const half = Math.ceil(Number(counted?.["rows"]) / 2).toString();
  const files: object[] = [];
  for (const [index, part] of [`LIMIT ${half}`, `OFFSET ${half}`].entries()) {
    const name = `part-${index.toString().padStart(5, "0")}-c000.zstd.parquet`;
    await writeParquet(
      path.join(work, name),
      `FROM read_parquet('${one}', hive_partitioning = false) ${part}`,
    );
    const content = await readFile(path.join(work, name));
    await putFile(zone, `${folder}/${MADE_BY}/${name}`, content);
    files.push({ path: `${MADE_BY}/${name}`, bytes: content.length });
  }
  await putFile(zone, `${folder}/_manifest.json`, JSON.stringify({ version: 1, files }));
  await putFile(zone, `${folder}/data.parquet`, "of the run before");
}
