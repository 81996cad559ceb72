import { connect } from "node:net";
import { brotliCompressSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Settings } from "../../../src/settings/settings.js";
import { readTable } from "../../consumption/reading.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { run, runOver } from "../../run/running.js";
import { serve, type ServedApi } from "../serving.js";
import { connectTo } from "../sockets.js";

let api: ServedApi;
let settings: Settings;

/** What an address answers, as its status and what JSON says. */
async function get(address: string, headers: Record<string, string> = {}): Promise<[number, unknown]> {
  const response = await fetch(api.url + address, { headers });
  return [response.status, await response.json()];
}

async function post(body: unknown, query = ""): Promise<[number, unknown]> {
  const response = await fetch(`${api.url}/v1/vouchers/most-used${query}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return [response.status, await response.json()];
}

function mostUsed(parameters: Record<string, string | number>): string {
  const all = { country_code: "Peru", segment_name: "frequent_segment", total_orders: 15, ...parameters };
  const query = Object.entries(all).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `/v1/vouchers/most-used?${query.join("&")}`;
}

beforeAll(async () => {
  const workspace = await runOver(
    [
      ...times(3, voucher({ total_orders: "15", voucher_amount: "1000" })),
      voucher({ country_code: "Chile", total_orders: "2", voucher_amount: "70" }),
    ],
    "2020-05-28",
  );
  settings = workspace.settings;
  await putVouchers(settings.zones.raw, [
    ...times(2, voucher({ total_orders: "15", voucher_amount: "2640" })),
    voucher({ total_orders: "15", voucher_amount: "3520" }),
    ...times(4, voucher({ total_orders: "2", voucher_amount: "1000" })),
    voucher({ country_code: "Perú", total_orders: "15", voucher_amount: "7" }),
  ]);
  await run(settings, "2020-05-29");
  api = await serve(settings);
  dripped = drip();
});

/** A body that comes byte by byte, and another request meanwhile. It comes beside the tests, as it takes ten seconds. */
let dripped: ReturnType<typeof drip>;

async function drip() {
  const begun = performance.now();
  const socket = connect(api.port, "127.0.0.1");
  socket.write(
    "POST /v1/vouchers/most-used HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
  );
  const dripping = setInterval(() => socket.write(" "), 500);
  let answer = "";
  socket.setEncoding("utf8").on("data", (more: string) => (answer += more));
  const milliseconds = new Promise<number>((resolve) => {
    socket
      .on("error", () => undefined)
      .on("close", () => {
        clearInterval(dripping);
        resolve(performance.now() - begun);
      });
  });
  const [status] = await get(mostUsed({}));
  const other = { status, milliseconds: performance.now() - begun };
  return { milliseconds: await milliseconds, answer, other };
}

describe("GET /v1/vouchers/most-used", () => {
  it("answers with the amount, the segment and the basis", async () => {
    expect(await get(mostUsed({}))).toEqual([
      200,
      { voucher_amount: 2640, segment: "13-37", basis: "segment", execution_date: "2020-05-29T00:00:00Z" },
    ]);
  });

  it("answers null without a basis if the country and segment have no voucher", async () => {
    const nothing = { voucher_amount: null, segment: "5-13", basis: "none" };
    expect(await get(mostUsed({ total_orders: 7 }))).toMatchObject([200, nothing]);
    expect(await get(mostUsed({ country_code: "Atlantis", total_orders: 7 }))).toMatchObject([200, nothing]);
  });

  it("tells an unknown country from an empty segment, with the names nearest to it", async () => {
    const [, empty] = await get(mostUsed({ total_orders: 7 }));
    expect(empty).toMatchObject({ none_because: "empty_segment" });
    expect(empty).not.toHaveProperty("nearest_countries");
    const unknown = { none_because: "unknown_country", nearest_countries: ["Peru", "Perú"] };
    expect(await get(mostUsed({ country_code: "PERU" }))).toMatchObject([200, unknown]);
    expect(
      await post([{ country_code: "Perru", segment_name: "frequent_segment", total_orders: 1 }]),
    ).toMatchObject([200, [unknown]]);
    const nowhere = { none_because: "unknown_country", nearest_countries: [] };
    expect(await get(mostUsed({ country_code: "Atlantis" }))).toMatchObject([200, nowhere]);
    expect((await get(mostUsed({})))[1]).not.toHaveProperty("none_because");
  });

  it("takes no answer from a segment that is less certain than min_certainty", async () => {
    const uncertain = { voucher_amount: null, basis: "none", none_because: "too_uncertain" };
    for (const min_certainty of ["1", "0.99", "sure", "likely"])
      expect(await get(mostUsed({ min_certainty }))).toMatchObject([200, uncertain]);
    expect(await get(mostUsed({ min_certainty: "0.1" }))).toMatchObject([200, { voucher_amount: 2640 }]);
    expect(await get(mostUsed({ min_certainty: "sure", fallback: "country" }))).toMatchObject([
      200,
      { voucher_amount: 1000, basis: "country" },
    ]);
    expect(
      await post(
        { country_code: "Peru", segment_name: "frequent_segment", total_orders: 15 },
        "?min_certainty=sure",
      ),
    ).toMatchObject([200, uncertain]);
  });

  it("refuses min_certainty if the publication is older than certainty", async () => {
    const { settings: own } = await runOver([voucher()]);
    await readTable(own, `UPDATE publications SET row_counts = json_remove(row_counts, '$.voucher_answers')`);
    const old = await serve(own);
    for (const address of [mostUsed({ min_certainty: "0" }), "/v1/answers?min_certainty=likely"]) {
      const response = await fetch(old.url + address);
      expect(response.status).toBe(409);
      expect(await response.json()).toMatchObject({
        type: "urn:voucher-pipeline:problem:no-certainty",
        errors: [{ field: "min_certainty" }],
      });
    }
    expect(
      await (await fetch(old.url + mostUsed({ total_orders: 7, explain: "true" }))).json(),
    ).toMatchObject({
      receipt: { segment_answer: { certainty: null, certainty_word: null } },
    });
  });

  it("counts recency to as_of, by default to today", async () => {
    const recency = { segment_name: "recency_segment", last_order_ts: "2020-04-20" };
    expect(await get(mostUsed(recency))).toMatchObject([200, { segment: "30-60", voucher_amount: 1000 }]);
    expect(await get(mostUsed({ ...recency, as_of: "2020-04-21" }))).toMatchObject([
      200,
      { segment: "0-30", basis: "none" },
    ]);
  });

  it("answers from an older publication on request", async () => {
    const older = { voucher_amount: 1000, execution_date: "2020-05-28T00:00:00Z" };
    expect(await get(mostUsed({ execution_date: "2020-05-28" }))).toMatchObject([200, older]);
  });

  it("gives the counts of the answer with explain", async () => {
    const [publication] = (await readTable(
      settings,
      "SELECT * FROM publications WHERE execution_date = '2020-05-29T000000'",
    )) as Record<string, string>[];
    const [, answer] = await get(mostUsed({ explain: "true" }));
    expect(answer).toMatchObject({
      receipt: {
        segment_name: "frequent_segment",
        reason: "total_orders is 15: above 13, up to 37",
        measure: "total_orders",
        measured: 15,
        as_of: "2020-05-29",
        segment: {
          voucher_amount: 2640,
          assignments: 2,
          segment_assignments: 3,
          share: 2 / 3,
          runner_up: { voucher_amount: 3520, assignments: 1 },
          margin: 1,
          margin_share: 1 / 3,
          certainty: expect.any(Number),
          certainty_word: "toss-up",
        },
        segment_answer: { voucher_amount: 2640, certainty_word: "toss-up" },
        country: null,
        country_answer: null,
        publication: {
          execution_date: "2020-05-29T00:00:00Z",
          run_id: publication?.["run_id"],
          sql_version: "v1",
          sql_hash: publication?.["sql_hash"],
          data_hash: publication?.["data_hash"],
        },
        age_days: 0,
      },
    });
  });

  it("falls back to the amount of the country only on request, and marks it", async () => {
    const unknown = { total_orders: 7 };
    const country = { voucher_amount: 1000, basis: "country" };
    expect(await get(mostUsed({ ...unknown, fallback: "none" }))).toMatchObject([200, { basis: "none" }]);
    expect(await get(mostUsed({ ...unknown, fallback: "country", explain: "true" }))).toMatchObject([
      200,
      { ...country, receipt: { segment: null, country: { assignments: 4, country_assignments: 7 } } },
    ]);
    expect(await get(mostUsed({ country_code: "Atlantis", fallback: "country" }))).toMatchObject([
      200,
      { voucher_amount: null, basis: "none" },
    ]);
  });

  it("takes no answer from a segment with fewer vouchers than min_assignments", async () => {
    expect(await get(mostUsed({ min_assignments: 3 }))).toMatchObject([200, { voucher_amount: 2640 }]);
    expect(await get(mostUsed({ min_assignments: 4 }))).toMatchObject([
      200,
      { voucher_amount: null, basis: "none" },
    ]);
    expect(await get(mostUsed({ min_assignments: 4, fallback: "country" }))).toMatchObject([
      200,
      { voucher_amount: 1000, basis: "country" },
    ]);
  });

  it("refuses a fallback that the publication does not have, because it is older than those answers", async () => {
    const { settings: own } = await runOver([voucher()]);
    await readTable(
      own,
      `UPDATE publications SET row_counts = json_remove(row_counts, '$.voucher_country_most_used')`,
    );
    const old = await serve(own);
    const response = await fetch(old.url + mostUsed({ fallback: "country" }));
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ type: "urn:voucher-pipeline:problem:no-country-answers" });
  });

  it.each<[string, string, number, string]>([
    ["an unknown parameter", mostUsed({ colour: "red" }), 400, "colour"],
    ["a parameter twice", `${mostUsed({})}&total_orders=2`, 400, "total_orders"],
    [
      "no country",
      "/v1/vouchers/most-used?segment_name=frequent_segment&total_orders=1",
      400,
      "country_code",
    ],
    ["a blank country", mostUsed({ country_code: " \t" }), 400, "country_code"],
    ["a country of 65 characters", mostUsed({ country_code: "é".repeat(65) }), 400, "country_code"],
    ["negative orders", mostUsed({ total_orders: -1 }), 400, "total_orders"],
    ["orders with a fraction", mostUsed({ total_orders: "1.5" }), 400, "total_orders"],
    ["orders above 32 bits", mostUsed({ total_orders: "2147483648" }), 400, "total_orders"],
    ["orders that are NaN", mostUsed({ total_orders: "NaN" }), 400, "total_orders"],
    ["orders that are 1e999", mostUsed({ total_orders: "1e999" }), 400, "total_orders"],
    ["an unknown segment", mostUsed({ segment_name: "toString" }), 400, "segment_name"],
    ["a day that does not exist", mostUsed({ as_of: "2020-02-30" }), 400, "as_of"],
    ["a year that is too far", mostUsed({ as_of: "275760-09-13" }), 400, "as_of"],
    ["an execution date that is none", mostUsed({ execution_date: "2020-02-30" }), 400, "execution_date"],
    [
      "an execution date without a publication",
      mostUsed({ execution_date: "2019-01-01" }),
      404,
      "execution_date",
    ],
    ["an explain that is neither", mostUsed({ explain: "yes" }), 400, "explain"],
    ["an unknown fallback", mostUsed({ fallback: "__proto__" }), 400, "fallback"],
    ["a certainty above 1", mostUsed({ min_certainty: "1.1" }), 400, "min_certainty"],
    ["a certainty below 0", mostUsed({ min_certainty: "-0.1" }), 400, "min_certainty"],
    ["a certainty that is NaN", mostUsed({ min_certainty: "NaN" }), 400, "min_certainty"],
    ["a word that no minimum is", mostUsed({ min_certainty: "toss-up" }), 400, "min_certainty"],
    ["min_assignments of 0", mostUsed({ min_assignments: 0 }), 400, "min_assignments"],
    [
      "no orders where they are needed",
      "/v1/vouchers/most-used?country_code=Peru&segment_name=frequent_segment",
      422,
      "total_orders",
    ],
    ["no last order where it is needed", mostUsed({ segment_name: "recency_segment" }), 422, "last_order_ts"],
    ["a last order after as_of", mostUsed({ last_order_ts: "2020-05-30" }), 422, "last_order_ts"],
  ])("refuses %s, and names it", async (_fault, address, status, field) => {
    const [found, problem] = await get(address);
    expect(found).toBe(status);
    expect(problem).toMatchObject({ status, errors: [{ field }] });
  });

  it("takes a last order later on the day of as_of", async () => {
    const address = mostUsed({ segment_name: "recency_segment", last_order_ts: "2020-05-29T23:59:59Z" });
    expect(await get(address)).toMatchObject([200, { segment: "0-30" }]);
  });

  it("answers every published cell of both kinds like the table, at both edges of its segment", async () => {
    const edges: Record<string, number[]> = {
      "0-4": [0, 4],
      "5-13": [5, 13],
      "13-37": [14, 37],
      "37+": [38, 1e6],
    };
    const days: Record<string, number[]> = {
      "0-30": [0, 30],
      "30-60": [31, 60],
      "60-90": [61, 90],
      "90-120": [91, 120],
      "120-180": [121, 180],
      "180+": [181, 3_000],
    };
    const cells = async (kind: string) =>
      (await readTable(
        settings,
        `SELECT country_code, ${kind}_segment AS segment, voucher_amount FROM voucher_${kind}_most_used WHERE execution_date = '2020-05-29T000000'`,
      )) as { country_code: string; segment: string; voucher_amount: number }[];
    let asked = 0;
    for (const { country_code, segment, voucher_amount } of await cells("frequent")) {
      for (const total_orders of edges[segment] ?? []) {
        const answer = { voucher_amount, segment };
        expect(await get(mostUsed({ country_code, total_orders }))).toMatchObject([200, answer]);
        asked += 1;
      }
    }
    for (const { country_code, segment, voucher_amount } of await cells("recency")) {
      for (const age of days[segment] ?? []) {
        const last_order_ts = new Date(Date.UTC(2020, 4, 29 - age)).toISOString();
        const answer = { voucher_amount, segment };
        const recency = { country_code, segment_name: "recency_segment", last_order_ts };
        expect(await get(mostUsed(recency))).toMatchObject([200, answer]);
        asked += 1;
      }
    }
    expect(asked).toBe(2 * (3 + 2));
  });
});

describe("POST /v1/vouchers/most-used", () => {
  const customer = { country_code: "Peru", segment_name: "frequent_segment", total_orders: 15 };

  it("answers one customer by one answer, and a list by a list in its order", async () => {
    expect(await post(customer)).toMatchObject([200, { voucher_amount: 2640 }]);
    const others = [
      { ...customer, total_orders: 2, customer_id: "b" },
      { ...customer, customer_id: 7 },
    ];
    expect(await post(others)).toMatchObject([
      200,
      [
        { customer_id: "b", voucher_amount: 1000 },
        { customer_id: 7, voucher_amount: 2640 },
      ],
    ]);
  });

  it("takes the customer of the original route, and the options of the query", async () => {
    const original = {
      customer_id: 123,
      country_code: "Peru",
      last_order_ts: "2020-04-20 00:00:00",
      first_order_ts: "2017-05-03 00:00:00",
      total_orders: 15,
      segment_name: "frequent_segment",
    };
    expect(await post(original, "?execution_date=2020-05-28&explain=true")).toMatchObject([
      200,
      { voucher_amount: 1000, receipt: { measured: 15 } },
    ]);
  });

  it("answers 10,000 customers, and refuses one more", async () => {
    const [status, answers] = await post(Array.from({ length: 10_000 }, () => customer));
    expect(status).toBe(200);
    expect(answers).toHaveLength(10_000);
    expect(await post(Array.from({ length: 10_001 }, () => customer))).toMatchObject([
      400,
      { errors: [{ field: "body" }] },
    ]);
  });

  it.each<[string, unknown, number, string]>([
    ["an empty list", [], 400, "body"],
    ["null", null, 400, "body"],
    ["a text", '"text"', 400, "body"],
    ["what is no JSON", "{", 400, "body"],
    ["NaN", '{"total_orders":NaN}', 400, "body"],
    [
      "orders that are 1e999",
      '[{"country_code":"Peru","segment_name":"frequent_segment","total_orders":1e999}]',
      400,
      "body.0.total_orders",
    ],
    ["orders as text", [customer, { ...customer, total_orders: "15" }], 400, "body.1.total_orders"],
    ["an unknown key", { ...customer, colour: "red" }, 400, "body.colour"],
    [
      "a key that would pollute",
      '{"__proto__":{"a":1},"country_code":"Peru","segment_name":"frequent_segment","total_orders":1}',
      400,
      "body.__proto__",
    ],
    [
      "a last order in the future",
      [customer, { ...customer, last_order_ts: "2020-06-01" }],
      422,
      "body.1.last_order_ts",
    ],
  ])("refuses %s, and names the place", async (_fault, body, status, field) => {
    const [found, problem] = await post(body);
    expect(found).toBe(status);
    expect(problem).toMatchObject({ errors: [{ field }] });
  });

  it.each<[string, string, string | Uint8Array<ArrayBuffer>, number, string]>([
    ["another type", "text/plain", "{}", 415, "unsupported-media-type"],
    ["another character set", "application/json; charset=latin1", "{}", 415, "unsupported-media-type"],
    [
      "bytes that are no UTF-8",
      "application/json",
      new Uint8Array([0x22, 0xff, 0x22]),
      400,
      "invalid-request",
    ],
    ["more than 5 MB", "application/json", JSON.stringify(" ".repeat(5_000_001)), 413, "body-too-large"],
  ])("refuses a body of %s", async (_fault, type, body, status, problem) => {
    const response = await fetch(`${api.url}/v1/vouchers/most-used`, {
      method: "POST",
      headers: { "content-type": type },
      body,
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ type: `urn:voucher-pipeline:problem:${problem}` });
  });
});

describe("an address", () => {
  it.each([
    ["bytes that are no UTF-8", "%FF"],
    ["half a character", "Per%C3"],
    ["a percent sign alone", "100%"],
  ])("with %s is refused, and the parameter named", async (_what, country) => {
    for (const address of [
      `/v1/vouchers/most-used?segment_name=frequent_segment&total_orders=1&country_code=${country}`,
      `/v1/segments?country_code=${country}`,
    ]) {
      expect(await get(address)).toMatchObject([400, { errors: [{ field: "country_code" }] }]);
    }
  });

  it("with bytes that are not percent-encoded is refused, not read as another country", async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(api.port, "127.0.0.1");
      socket.write(
        "GET /v1/segments?country_code=Per\u00fa HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      );
      let text = "";
      socket.setEncoding("utf8").on("data", (more: string) => (text += more));
      socket.on("close", () => {
        resolve(text);
      });
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*urn:voucher-pipeline:problem:invalid-request/);
  });

  it("takes a character of several bytes that is encoded", async () => {
    const peru =
      "/v1/vouchers/most-used?segment_name=frequent_segment&total_orders=15&country_code=Per%c3%ba";
    expect(await get(peru)).toMatchObject([200, { voucher_amount: 7 }]);
  });
});

describe("a request with two Host headers", () => {
  it("is refused: a proxy may have taken the other one", async () => {
    const { socket, ended } = await connectTo(api.port);
    socket.write("GET /v1/segments HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n");
    expect(await ended).toMatch(/^HTTP\/1\.1 400 [^]*more than one Host header/);
  });
});

describe("a body that takes long by design", () => {
  const peru = '"segment_name":"frequent_segment","total_orders":1';
  it.each<[string, string, number]>([
    ["blanks within a long text", `{"country_code":"a${" ".repeat(4_000_000)}a",${peru}}`, 400],
    ["a list of very many objects", `[${"{},".repeat(1_600_000)}{}]`, 413],
    [
      "very many keys",
      `{${Array.from({ length: 300_000 }, (_, index) => `"k${String(index)}":1`).join()}}`,
      413,
    ],
    ["lists within lists", `${"[".repeat(149_000)}${"]".repeat(149_000)}`, 400],
    ["10,000 customers that are all wrong", `[${'{"a":1,"total_orders":-1},'.repeat(9_999)}{}]`, 400],
  ])("with %s is refused, and delays no other request", async (_what, body, status) => {
    const begun = performance.now();
    const refused = post(body);
    expect((await get(mostUsed({})))[0]).toBe(200);
    expect((await refused)[0]).toBe(status);
    expect(performance.now() - begun).toBeLessThan(3_000);
  });
});

describe("a body that is not compressed as its header says", () => {
  it.each(["br", "gzip", "deflate"])("with %s is a faulty request", async (encoding) => {
    const response = await fetch(`${api.url}/v1/vouchers/most-used`, {
      method: "POST",
      headers: { "content-type": "application/json", "content-encoding": encoding },
      body: "this text is not compressed at all",
    });
    expect(await response.json()).toMatchObject({
      status: 400,
      type: "urn:voucher-pipeline:problem:invalid-request",
    });
  });

  it("with br is a faulty request for every error of brotli", async () => {
    const whole = brotliCompressSync(
      '{"country_code":"Peru","segment_name":"frequent_segment","total_orders":15}',
    );
    const damaged = [
      ...Array.from({ length: 20 }, (_, seed) => Buffer.from([seed * 13, seed * 7, 255 - seed, seed])),
      ...Array.from(whole.keys(), (end) => whole.subarray(0, end)),
    ];
    const statuses = new Set<number>();
    for (const body of damaged) {
      const response = await fetch(`${api.url}/v1/vouchers/most-used`, {
        method: "POST",
        headers: { "content-type": "application/json", "content-encoding": "br" },
        body: new Uint8Array(body),
      });
      await response.text();
      statuses.add(response.status);
    }
    expect([...statuses]).toEqual([400]);
  });
});

describe("a body that arrives byte by byte", () => {
  it("is refused after ten seconds, and delays no other request", async () => {
    const { answer, milliseconds, other } = await dripped;
    expect(other.status).toBe(200);
    expect(other.milliseconds).toBeLessThan(2_000);
    expect(answer).toMatch(/^HTTP\/1\.1 408 [^]*urn:voucher-pipeline:problem:request-too-late/);
    expect(milliseconds).toBeGreaterThan(9_000);
  });
});

describe("GET /v1/segments", () => {
  it("lists the segments of both kinds with their bounds", async () => {
    expect(await get("/v1/segments")).toMatchObject([
      200,
      {
        segments: [
          {
            segment_name: "frequent_segment",
            measure: "total_orders",
            segments: [
              { name: "0-4", above: null, up_to: 4 },
              {},
              {},
              { name: "37+", above: 37, up_to: null },
            ],
          },
          { segment_name: "recency_segment", measure: "days_since_last_order" },
        ],
      },
    ]);
  });
});

describe("GET /v1/tables/{table}", () => {
  const table = "/v1/tables/voucher_amount_usage";

  it("gives the rows of the publication, in the order of the key", async () => {
    const [status, answer] = await get("/v1/tables/voucher_frequent_most_used");
    expect(status).toBe(200);
    expect(answer).toMatchObject({
      columns: ["country_code", "frequent_segment", "voucher_amount", "execution_date"],
      rows: [
        { country_code: "Peru", frequent_segment: "0-4", voucher_amount: 1000 },
        { country_code: "Peru", frequent_segment: "13-37", voucher_amount: 2640 },
        { country_code: "Perú", frequent_segment: "13-37", voucher_amount: 7 },
      ],
      next: null,
    });
  });

  it("gives all rows once in pages of any size", async () => {
    const [, whole] = (await get(table)) as [number, { rows: unknown[] }];
    const rows: unknown[] = [];
    let next: string | null = "";
    while (next !== null) {
      const [, page] = (await get(`${table}?limit=2${next === "" ? "" : `&after=${next}`}`)) as [
        number,
        { rows: unknown[]; next: string | null },
      ];
      expect(page.rows.length).toBeLessThanOrEqual(2);
      rows.push(...page.rows);
      next = page.next;
    }
    expect(rows).toEqual(whole.rows);
  });

  it("gives the whole table as CSV on request", async () => {
    const expected = [
      "country_code,frequent_segment,voucher_amount,execution_date",
      "Chile,0-4,70,2020-05-28T000000",
      "Peru,13-37,1000,2020-05-28T000000",
      "",
    ].join("\n");
    const address = `${api.url}/v1/tables/voucher_frequent_most_used?execution_date=2020-05-28`;
    const byHeader = await fetch(address, { headers: { accept: "text/csv" } });
    expect(byHeader.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(await byHeader.text()).toBe(expected);
    expect(await (await fetch(`${address}&format=csv`)).text()).toBe(expected);
  });

  it("refuses the next page of a table that was published again", async () => {
    const { settings: own } = await runOver(times(2, voucher()));
    const other = await serve(own);
    const page = async (query: string) => fetch(`${other.url}${table}?limit=1${query}`);
    const { next } = (await (await page("")).json()) as { next: string };
    await putVouchers(own.zones.raw, times(2, voucher({ voucher_amount: "5" })));
    await run(own);
    const response = await page(`&after=${next}`);
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ type: "urn:voucher-pipeline:problem:stale-cursor" });
  });

  it("reads the latest publication", async () => {
    const { settings: own } = await runOver(times(2, voucher()));
    const other = await serve(own);
    const amounts = async () => {
      const { rows } = (await (await fetch(`${other.url}${table}`)).json()) as {
        rows: { voucher_amount: number }[];
      };
      return rows.map(({ voucher_amount }) => voucher_amount);
    };
    expect(await amounts()).toEqual([2640, 2640]);
    await putVouchers(own.zones.raw, times(2, voucher({ voucher_amount: "5" })));
    await run(own);
    expect(await amounts()).toEqual([5, 5]);
  });

  it.each<[string, string, number]>([
    ["a table that is not published", "/v1/tables/pipeline_runs", 404],
    ["a name that is none", "/v1/tables/a%20b", 400],
    ["a cursor that it did not give", `${table}?after=x`, 400],
    ["a cursor that is a part of one", `${table}?after=WyJ4Il0`, 400],
    ["too many rows at once", `${table}?limit=10001`, 400],
  ])("refuses %s", async (_fault, address, status) => {
    expect((await get(address))[0]).toBe(status);
  });
});

describe("GET /v1/answers", () => {
  const HEADER =
    "country_code,segment_name,segment,voucher_amount,assignments,segment_assignments,runner_up_amount,runner_up_assignments,certainty,certainty_word";

  it("gives one row for each country and segment, in order", async () => {
    const [status, answer] = await get("/v1/answers");
    expect(status).toBe(200);
    const { answers, publication } = answer as { answers: Record<string, unknown>[]; publication: unknown };
    expect(publication).toMatchObject({ execution_date: "2020-05-29T00:00:00Z" });
    expect(answers.map((row) => [row["segment_name"], row["country_code"], row["segment"]])).toEqual([
      ["frequent_segment", "Peru", "0-4"],
      ["frequent_segment", "Peru", "13-37"],
      ["frequent_segment", "Perú", "13-37"],
      ["recency_segment", "Peru", "30-60"],
      ["recency_segment", "Perú", "30-60"],
    ]);
    expect(answers[1]).toEqual({
      country_code: "Peru",
      segment_name: "frequent_segment",
      segment: "13-37",
      voucher_amount: 2640,
      assignments: 2,
      segment_assignments: 3,
      runner_up_amount: 3520,
      runner_up_assignments: 1,
      certainty: expect.any(Number),
      certainty_word: "toss-up",
    });
  });

  it("has the certainty of the published table", async () => {
    const [, answer] = await get("/v1/answers");
    const [, table] = await get("/v1/tables/voucher_answers");
    const certainties = (rows: Record<string, unknown>[]) =>
      rows.map(({ certainty, certainty_word }) => `${String(certainty)} ${String(certainty_word)}`).sort();
    const { rows, columns } = table as { rows: Record<string, unknown>[]; columns: string[] };
    expect(columns).toEqual(expect.arrayContaining(["certainty", "certainty_word"]));
    expect(certainties((answer as { answers: Record<string, unknown>[] }).answers)).toEqual(
      certainties(rows),
    );
  });

  it("gives the same as CSV on request", async () => {
    const expected = `${HEADER}\nChile,frequent_segment,0-4,70,1,1,,,0.5,toss-up\n`;
    const address = `${api.url}/v1/answers?execution_date=2020-05-28&country_code=Chile&segment_name=frequent_segment`;
    const byHeader = await fetch(address, { headers: { accept: "text/csv" } });
    expect(byHeader.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(await byHeader.text()).toBe(expected);
    expect(await (await fetch(`${address}&format=csv`)).text()).toBe(expected);
    const headers = {
      accept: "text/csv",
      "if-none-match": byHeader.headers.get("etag") ?? "",
      "cache-control": "",
    };
    expect((await fetch(address, { headers })).status).toBe(304);
  });

  it("leaves out answers with too little data", async () => {
    const counted = async (query: string) =>
      ((await get(`/v1/answers?${query}`))[1] as { answers: unknown[] }).answers.length;
    expect(await counted("min_assignments=4")).toBe(2);
    expect(await counted("min_certainty=0")).toBe(5);
    expect(await counted("min_certainty=1")).toBe(0);
    expect(await counted("country_code=Atlantis")).toBe(0);
  });
});

describe("GET /v1/runs", () => {
  interface Runs {
    readonly runs: { readonly run_id: string; readonly execution_date: string }[];
    readonly next: string | null;
  }
  const runs = async (query = "") => (await get(`/v1/runs${query}`))[1] as Runs;

  it("lists the runs, the newest first, with their results", async () => {
    const listed = await runs();
    expect(listed).toMatchObject({
      runs: [
        {
          execution_date: "2020-05-29T00:00:00Z",
          stages: ["curate", "aggregate", "publish"],
          outcome: "succeeded",
          error: null,
          sentences: expect.arrayContaining([expect.stringContaining("29 May 2020")]),
          row_accounting: { rows_read: 8, rejected: 0, out_of_scope: 0, curated: 8 },
          answers: { answers: 5, against: "2020-05-28T00:00:00Z" },
          withdrawals: [],
        },
        { execution_date: "2020-05-28T00:00:00Z" },
      ],
      next: null,
    });
    expect(listed.runs[0]).not.toHaveProperty("record");
    expect((await runs("?execution_date=2020-05-28")).runs).toHaveLength(1);
    expect((await runs("?outcome=failed")).runs).toEqual([]);
  });

  it("gives each once in pages", async () => {
    const all = (await runs()).runs.map(({ run_id }) => run_id);
    const first = await runs("?limit=1");
    expect(first.runs.map(({ run_id }) => run_id)).toEqual(all.slice(0, 1));
    const second = await runs(`?limit=1&after=${first.next ?? ""}`);
    expect(second.runs.map(({ run_id }) => run_id)).toEqual(all.slice(1));
    expect(second.next).toBeNull();
  });

  it("tells an invalid cursor from a stale one", async () => {
    const fault = { errors: [{ field: "after" }] };
    expect(await get("/v1/runs?after=%20")).toMatchObject([400, fault]);
    expect(await get("/v1/runs?after=gone")).toMatchObject([409, fault]);
  });

  it("gives one with its record", async () => {
    const [newest] = (await runs()).runs;
    const id = newest?.run_id ?? "";
    expect(await get(`/v1/runs/${id}`)).toMatchObject([200, { run_id: id, record: { run_id: id } }]);
    expect(await get("/v1/runs/none")).toMatchObject([
      404,
      { type: "urn:voucher-pipeline:problem:unknown-run" },
    ]);
  });
});

describe("an execution date", () => {
  it.each([
    "2020-05-28",
    "2020-05-28T00:00:00",
    "2020-05-28T00:00:00Z",
    "2020-05-28T000000",
    "2020-05-28 00:00:00",
    "28 May 2020",
    "28 May 2020, 00:00:00 UTC",
  ])("is taken as %s", async (execution_date) => {
    const older = { voucher_amount: 1000, execution_date: "2020-05-28T00:00:00Z" };
    expect(await get(mostUsed({ execution_date }))).toMatchObject([200, older]);
  });

  it.each(["31 June 2020", "28 Mai 2020", "2020-05-28T0000", "28 May 2020, 25:00:00 UTC"])(
    "is not taken as %s",
    async (execution_date) => {
      expect((await get(mostUsed({ execution_date })))[0]).toBe(400);
    },
  );
});

describe("GET /v1/publications", () => {
  it("names an unpublished date in words for people", async () => {
    expect(await get("/v1/publications/2017-01-01/changes")).toMatchObject([
      404,
      { detail: "The execution date 2017-01-01T00:00:00Z is not published." },
    ]);
  });

  it("lists the publications, the latest execution date first, in pages", async () => {
    const page = {
      publications: [{ execution_date: "2020-05-29T00:00:00Z" }],
      next: "2020-05-29T00:00:00Z",
      next_before: "2020-05-29T00:00:00Z",
    };
    expect(await get("/v1/publications?limit=1")).toMatchObject([200, page]);
    for (const parameter of ["after", "before"])
      expect(await get(`/v1/publications?limit=1&${parameter}=2020-05-29T00:00:00Z`)).toMatchObject([
        200,
        {
          publications: [
            {
              execution_date: "2020-05-28T00:00:00Z",
              row_counts: { voucher_frequent_most_used: 2 },
              rows: { voucher_frequent_most_used: 2 },
            },
          ],
          next: null,
          next_before: null,
        },
      ]);
    expect(await get("/v1/publications?after=x")).toMatchObject([400, { errors: [{ field: "after" }] }]);
  });

  it("marks some of its fields as deprecated in headers", async () => {
    const { headers } = await fetch(`${api.url}/v1/publications`);
    expect(headers.get("deprecation")).toMatch(/^@\d+$/);
    expect(Date.parse(headers.get("sunset") ?? "")).toBeGreaterThan(Date.parse("2027-01-01"));
    expect(headers.get("link")).toContain('rel="deprecation"');
    expect((await fetch(api.url + mostUsed({}))).headers.get("deprecation")).toBeNull();
  });

  it("gives one with the certainty of its answers, and its run", async () => {
    const [status, answer] = await get("/v1/publications/2020-05-29");
    expect(status).toBe(200);
    const { publication, run: made } = answer as { publication: { run_id: string }; run: { run_id: string } };
    expect(made.run_id).toBe(publication.run_id);
    expect(answer).toMatchObject({
      answers: 5,
      certainty: { sure: expect.any(Number), likely: expect.any(Number), "toss-up": expect.any(Number) },
      run: {
        outcome: "succeeded",
        row_accounting: { rows_read: 8, curated: 8 },
        record: { stages: expect.any(Array) },
      },
    });
    expect((await get("/v1/publications/2019-01-01"))[0]).toBe(404);
  });

  it("gives the changed, new and removed answers since the previous one", async () => {
    const [status, answer] = await get("/v1/publications/2020-05-29/changes");
    expect(status).toBe(200);
    const { changes, against } = answer as { changes: Record<string, unknown>[]; against: object };
    expect(against).toMatchObject({ execution_date: "2020-05-28T00:00:00Z" });
    const frequent = changes.filter(({ segment_name }) => segment_name === "frequent_segment");
    expect(frequent).toMatchObject([
      { country_code: "Chile", segment: "0-4", before: { voucher_amount: 70 }, after: null },
      { country_code: "Peru", segment: "0-4", before: null, after: { voucher_amount: 1000, assignments: 4 } },
      {
        country_code: "Peru",
        segment: "13-37",
        before: { voucher_amount: 1000 },
        after: { voucher_amount: 2640 },
      },
      { country_code: "Perú", segment: "13-37", before: null, after: { voucher_amount: 7 } },
    ]);
  });

  it("compares the first one with none, and any with any other", async () => {
    expect(await get("/v1/publications/2020-05-28/changes")).toMatchObject([
      200,
      { against: null, changes: [] },
    ]);
    const [, same] = await get("/v1/publications/2020-05-28/changes?against=2020-05-28");
    expect(same).toMatchObject({ changes: [] });
  });
});

describe("an answer", () => {
  it("has the tag of its publication, and is not sent again while that is the newest", async () => {
    const { settings: own } = await runOver([voucher({ total_orders: "15", voucher_amount: "1" })]);
    const other = await serve(own);
    const ask = (tag = "") =>
      fetch(other.url + mostUsed({}), { headers: { "if-none-match": tag, "cache-control": "" } });
    const first = await ask();
    const tag = first.headers.get("etag") ?? "";
    expect(first.headers.get("cache-control")).toBe("no-cache");
    expect((await ask(tag)).status).toBe(304);
    await putVouchers(own.zones.raw, [voucher({ total_orders: "15", voucher_amount: "2" })]);
    await run(own);
    await other.store.refresh();
    expect((await ask(tag)).status).toBe(200);
  });

  it("has another tag on another day: recency counts to today", async () => {
    let now = new Date("2020-05-29T12:00:00Z");
    const other = await serve(settings, () => now);
    const tag = async () => (await fetch(other.url + mostUsed({}))).headers.get("etag");
    const today = await tag();
    expect(await tag()).toBe(today);
    now = new Date("2020-05-30T12:00:00Z");
    expect(await tag()).not.toBe(today);
  });

  it("names its publication, and the time since the database confirmed it", async () => {
    let now = new Date();
    const other = await serve(settings, () => now);
    await (await fetch(other.url + mostUsed({}))).json();
    now = new Date(now.getTime() + 90_000);
    const { headers } = await fetch(other.url + mostUsed({}));
    expect(headers.get("publication-execution-date")).toBe("2020-05-29T00:00:00Z");
    expect(Number(headers.get("publication-confirmed-seconds"))).toBeGreaterThanOrEqual(89);
  });

  it("is compressed if the client can read that, and if it is large", async () => {
    const headers = { "accept-encoding": "gzip" };
    expect((await fetch(`${api.url}/v1/segments`, { headers })).headers.get("content-encoding")).toBeNull();
    const large = await fetch(`${api.url}/v1/tables/voucher_amount_usage`, { headers });
    expect(large.headers.get("content-encoding")).toBe("gzip");
  });
});
