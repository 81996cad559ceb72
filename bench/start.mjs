// What a run costs before it has rows to work on: a run over one row, and the programs that it could not do without.
//   npm run bench:start -- [--rounds 15]
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { contendersOf, openingDuckDb } from "./contenders.mjs";
import { openPlace } from "./places.mjs";
import { mediansOf } from "./results.mjs";

const ROW = `
  SELECT '2020-05-20 10:00:00.123456+00:00' AS "timestamp", 'Peru' AS country_code,
    '2020-05-01 09:00:00.123456+00:00' AS last_order_ts, '2020-01-01 09:00:00.123456+00:00' AS first_order_ts,
    '3.0' AS total_orders, CAST(2640 AS DOUBLE) AS voucher_amount`;

const { values: options } = parseArgs({ options: { rounds: { type: "string", default: "15" } } });
const folder = mkdtempSync(path.join(os.tmpdir(), "voucher-pipeline-bench-"));

try {
  mkdirSync(path.join(folder, "raw/vouchers"), { recursive: true });
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  await connection.run(`COPY (${ROW}) TO '${folder}/raw/vouchers/0.parquet'`);
  const { pipeline, bare } = contendersOf({
    date: "2020-05-29",
    folder,
    location: folder,
    place: openPlace(folder),
  });
  const programs = {
    "pipeline over one row": pipeline.run,
    "bare script over one row": bare.run,
    ...openingDuckDb,
  };
  const rounds = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
  for (let round = 0; round <= Number(options.rounds); round++) {
    for (const [name, run] of Object.entries(programs)) {
      const taken = await run();
      // The first round warms up the disk cache.
      if (round > 0) rounds[name].push(taken);
    }
  }
  for (const [name, taken] of Object.entries(rounds)) {
    const { seconds, processor_seconds } = mediansOf(taken);
    console.log(`${name.padEnd(30)} ${seconds.toFixed(3)} s  ${processor_seconds.toFixed(3)} s of CPU`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
