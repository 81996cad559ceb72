// A reader in a process of its own: asks the database and the api for a most used amount, again and again, until its input ends.
// Then it writes, as JSON, when each of them was asked and how long it waited, and when the database had another publication.
import http from "node:http";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { DatabaseSync } from "@photostructure/sqlite";
import { createConnection } from "mysql2/promise";

const [consumptionUrl, apiUrl] = process.argv.slice(2);
const EVERY_MILLISECONDS = 5;
const COUNTRY = "Country 000007";
const AMOUNT = `
  SELECT voucher_amount FROM voucher_recency_most_used
  WHERE country_code = '${COUNTRY}' AND recency_segment = '30-60'
    AND execution_date = (SELECT max(execution_date) FROM publications)`;
const NEWEST = "SELECT run_id FROM publications ORDER BY execution_date DESC LIMIT 1";
const CUSTOMER = {
  customer_id: 123,
  country_code: COUNTRY,
  last_order_ts: "2020-04-01 00:00:00",
  first_order_ts: "2017-05-03 00:00:00",
  total_orders: 15,
  segment_name: "recency_segment",
};

let isEnding = false;
process.stdin.resume().on("end", () => (isEnding = true));

const publications = [];
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const ask = await openDatabase();
const [database, api] = await Promise.all([asking(askDatabase), asking(askApi)]);
agent.destroy();
await ask.close();
process.stdout.write(JSON.stringify({ database, api, publications }));

/** @returns for each time the moment in milliseconds, and how many it waited. */
async function asking(once) {
  const waits = [];
  while (!isEnding) {
    const at = Date.now();
    const begun = performance.now();
    await once();
    waits.push([at, performance.now() - begun]);
    await delay(EVERY_MILLISECONDS);
  }
  return waits;
}

async function askDatabase() {
  await ask.one(AMOUNT);
  const { run_id: runId } = await ask.one(NEWEST);
  if (publications.at(-1)?.runId !== runId) publications.push({ runId, at: Date.now() });
}

function askApi() {
  const address = `${apiUrl}/voucher/most-used?customer=${encodeURIComponent(JSON.stringify(CUSTOMER))}`;
  return new Promise((resolve, reject) => {
    http
      .get(address, { agent }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`the api answers ${response.statusCode}`));
        response.resume().on("end", resolve);
      })
      .on("error", reject);
  });
}

async function openDatabase() {
  if (consumptionUrl.startsWith("sqlite:")) {
    const database = new DatabaseSync(consumptionUrl.slice("sqlite:".length), { readOnly: true });
    return {
      one: (sql) => Promise.resolve(database.prepare(sql).get()),
      close: () => Promise.resolve(database.close()),
    };
  }
  const connection = await createConnection(consumptionUrl);
  return {
    one: async (sql) => (await connection.query(sql))[0][0],
    close: () => connection.end(),
  };
}
