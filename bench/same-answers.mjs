// What has been made must be whole, and the same whoever has made it, otherwise the times say nothing.
import { DuckDBInstance } from "@duckdb/node-api";

// Each names its raw files in its own way.
const TABLES = {
  vouchers: "rows",
  vouchers_rejected: "rows.* EXCLUDE (source_file)",
  voucher_frequent_most_used: "rows",
  voucher_recency_most_used: "rows",
};

/**
 * Compares all rows by their number and the sum of their hashes, which takes no memory for many.
 * @throws Error that names the first table in which a contender differs from the first one.
 */
export async function assertSameAnswers(place, contenders) {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  if (place.prelude !== "") await connection.run(place.prelude);
  const [[reference, first], ...others] = Object.entries(contenders);
  for (const [table, compared] of Object.entries(TABLES)) {
    const digestOf = async ({ output }) => {
      const digest = await connection.runAndReadAll(
        `SELECT count(*), sum(hash(r)) FROM (SELECT ${compared} AS r FROM read_parquet('${output(table)}', hive_partitioning = false) AS rows)`,
      );
      return digest.getRowsJson()[0].join(" ");
    };
    const expected = await digestOf(first);
    for (const [name, other] of others) {
      if ((await digestOf(other)) !== expected)
        throw new Error(`${table} of ${name} differs from that of ${reference}`);
    }
  }
  connection.closeSync();
}

/**
 * @param rows of the raw files.
 * @param report what a run of the pipeline says of itself.
 * @throws Error where rows are lost between the raw files, what it says, and the files that it has written.
 */
export async function assertAccounted(rows, { measures, tables }) {
  const accounting = Object.fromEntries(
    Object.entries(measures["measures.row_accounting"][0]).map(([name, count]) => [name, Number(count)]),
  );
  const { rows_read: read, rejected, out_of_scope: outOfScope, curated } = accounting;
  if (read !== rows || rejected + outOfScope + curated !== rows)
    throw new Error(`of ${rows} rows the run accounts for ${JSON.stringify(accounting)}`);
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  for (const [model, wanted] of [
    ["curated.vouchers", curated],
    ["curated.vouchers_rejected", rejected],
  ]) {
    const { uri } = tables.find((table) => table.model === model);
    const counted = await connection.runAndReadAll(`SELECT count(*) FROM read_parquet('${uri}')`);
    const [[written]] = counted.getRowsJson();
    if (Number(written) !== wanted) throw new Error(`${uri} has ${written} rows, not ${wanted}`);
  }
}
