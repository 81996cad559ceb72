import { Agent, request } from "node:http";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { SqliteConnection } from "../../src/base/sqlite-driver.js";
import { CELLS, amountOf, publicationOf, type Cell } from "./cells.js";
import type { History } from "./history.js";

/** What readers have done, and what was wrong with what they were given. */
export interface Readings {
  count: number;
  readonly violations: string[];
}

/** The api may answer for so long with a publication that has been replaced: it looks for what is new every second. */
const REFRESH_MILLISECONDS = 2_500;

/** Asks the api for one cell after the other over one connection, until it is told to stop. */
export async function askAllCells(
  port: number,
  history: History,
  readings: Readings,
  isOver: () => boolean,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let turn = Math.floor(Math.random() * CELLS.length); !isOver(); turn += 1) {
    const cell = CELLS[turn % CELLS.length];
    if (cell === undefined) break;
    const begun = performance.now();
    const answer = await ask(port, agent, cell).catch((error: unknown) => String(error));
    const candidates = history.between(begun - REFRESH_MILLISECONDS, performance.now());
    const expected = candidates.map((publication) =>
      JSON.stringify({ voucher_amount: amountOf(publication, cell) }),
    );
    readings.count += 1;
    if (!expected.includes(answer)) {
      readings.violations.push(
        `${cell.country} ${cell.kind} ${cell.segment}: ${answer}, while publications ${candidates.join(", ")} could be seen`,
      );
    }
  }
  agent.destroy();
}

function ask(port: number, agent: Agent, { query }: Cell): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request(
      { host: "127.0.0.1", port, agent, path: `/voucher/most-used?${query}` },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => (body += text));
        response.on("end", () => {
          resolve(response.statusCode === 200 ? body : `${String(response.statusCode)} ${body}`);
        });
      },
    );
    asking.on("error", reject).end();
  });
}

const QUERIES = [
  "SELECT execution_date, row_counts FROM publications WHERE execution_date = (SELECT max(execution_date) FROM publications)",
  ...["voucher_frequent_most_used", "voucher_recency_most_used"].map(
    (table) =>
      `SELECT voucher_amount FROM ${table} WHERE execution_date = (SELECT max(execution_date) FROM publications)`,
  ),
];

/** Reads the newest publication and its tables in one transaction, as other services do, until it is told to stop. */
export async function readTogether(
  consumptionUrl: string,
  history: History,
  readings: Readings,
  isOver: () => boolean,
): Promise<void> {
  const reader = await openReader(consumptionUrl);
  while (!isOver()) {
    const begun = performance.now();
    const [publication = [], ...tables] = await reader.transaction(QUERIES);
    const candidates = history.between(begun, performance.now());
    const seen = [
      ...new Set(tables.flat().map(({ voucher_amount }) => publicationOf(Number(voucher_amount)))),
    ];
    const counts = JSON.parse(String(publication[0]?.["row_counts"])) as Record<string, number>;
    const isWhole =
      counts["voucher_frequent_most_used"] === tables[0]?.length &&
      counts["voucher_recency_most_used"] === tables[1]?.length;
    readings.count += 1;
    if (seen.length !== 1 || !isWhole || !candidates.includes(seen[0] ?? NaN)) {
      readings.violations.push(
        `${JSON.stringify(publication)} with rows of ${seen.join(", ")}, while publications ${candidates.join(", ")} could be seen`,
      );
    }
    await new Promise((later) => setTimeout(later, 5));
  }
  await reader.close();
}

interface TransactionReader {
  transaction(queries: readonly string[]): Promise<Record<string, unknown>[][]>;
  close(): Promise<void>;
}

async function openReader(consumptionUrl: string): Promise<TransactionReader> {
  if (!consumptionUrl.startsWith("mysql:")) {
    const database = new SqliteConnection(consumptionUrl.slice("sqlite:".length), "create");
    return {
      transaction: (queries) => {
        database.exec("BEGIN");
        const results = queries.map((sql) => database.rows(sql));
        database.exec("COMMIT");
        return Promise.resolve(results);
      },
      close: () => {
        database.close();
        return Promise.resolve();
      },
    };
  }
  const connection = await createConnection({ uri: consumptionUrl });
  return {
    transaction: async (queries) => {
      await connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
      const results = [];
      for (const sql of queries) results.push((await connection.query<RowDataPacket[]>(sql))[0]);
      await connection.query("COMMIT");
      return results;
    },
    close: () => connection.end(),
  };
}
