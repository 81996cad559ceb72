import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { constants, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import express from "express";
import { pino } from "pino";
import { answerError } from "../../../src/api/http/error-answers.js";
import { addRequestLog, observe } from "../../../src/api/http/observing.js";
import { priceCampaign } from "../../../src/api/v1/campaign-routes.js";
import { times, voucher } from "../../raw-vouchers.js";
import { runOver } from "../../run/running.js";
import { until } from "../../until.js";
import { serve, type ServedApi } from "../serving.js";

const CSV = "text/csv";
const NDJSON = "application/x-ndjson";
const HEADER = "customer_id,country_code,segment_name,total_orders,last_order_ts";
const GOOD = "a,Peru,frequent_segment,15,2020-04-20 00:00:00";
const ADDED = "segment,voucher_amount,certainty,certainty_word,basis,none_because,nearest_countries,error";
const ANSWER_HEADER = `${HEADER},${ADDED}`;
/** The results of three of three vouchers, and of nine of twelve. */
const OF_THREE = "13-37,2640,0.844,likely,segment,,,";
const OF_MANY = "30-60,1000,0.986,sure,segment,,,";
const GOOD_ANSWER = `${GOOD},${OF_THREE}`;

const customer = {
  customer_id: "a",
  country_code: "Peru",
  segment_name: "frequent_segment",
  total_orders: 15,
  last_order_ts: "2020-04-20 00:00:00",
};
const goodResult = {
  segment: "13-37",
  voucher_amount: 2640,
  certainty: 0.844,
  certainty_word: "likely",
  basis: "segment",
  none_because: null,
  nearest_countries: null,
  error: null,
};
const goodAnswer = { ...customer, ...goodResult };
/** As CSV has it. */
const goodTextAnswer = { ...goodAnswer, total_orders: "15" };

let api: ServedApi;
let address: string;

beforeAll(async () => {
  const { settings } = await runOver([
    ...times(3, voucher({ total_orders: "15", voucher_amount: "2640" })),
    ...times(9, voucher({ total_orders: "2", voucher_amount: "1000" })),
    voucher({ country_code: "Perú", total_orders: "15", voucher_amount: "7" }),
  ]);
  api = await serve(settings);
  address = `${api.url}/v1/campaigns/price`;
});

type Body = string | Uint8Array<ArrayBuffer>;

function post(body: Body, type = CSV, query = "", headers: Record<string, string> = {}): Promise<Response> {
  return fetch(address + query, { method: "POST", body, headers: { "content-type": type, ...headers } });
}

async function linesOf(body: Body, query = ""): Promise<string[]> {
  const response = await post(body, CSV, query);
  expect(response.status).toBe(200);
  return (await response.text()).trimEnd().split("\n").slice(1);
}

async function valuesOf(body: string, query = ""): Promise<Record<string, unknown>[]> {
  const text = await (await post(body, NDJSON, query)).text();
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function problemOf(body: Body, type = CSV, query = "", headers = {}) {
  const response = await post(body, type, query, headers);
  expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  return (await response.json()) as { type: string; status: number; errors?: { field: string }[] };
}

const FREQUENT = "?segment_name=frequent_segment";
const ndjson = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");
const csv = (...rows: string[]) => [HEADER, ...rows, ""].join("\n");

/** Sends without an end, and reads by hand. */
function open(query = "", type = CSV, headers: Record<string, string> = {}) {
  const request = httpRequest(address + query, {
    method: "POST",
    headers: { "content-type": type, ...headers },
  });
  request.on("error", () => undefined);
  const response = once(request, "response").then(([message]) => message as IncomingMessage);
  return { request, response };
}

describe("a file of CSV", () => {
  it("is answered line by line, in CSV", async () => {
    const response = await post(csv(GOOD, "b,Peru,recency_segment,15,2020-04-20"));
    expect(response.headers.get("content-type")).toMatch(/^text\/csv/);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("publication-execution-date")).toBe("2020-05-29T00:00:00Z");
    expect(await response.text()).toBe(
      `${ANSWER_HEADER}\n${GOOD_ANSWER}\nb,Peru,recency_segment,15,2020-04-20,${OF_MANY}\n`,
    );
  });

  it("comes back with all its columns, in its order", async () => {
    const body =
      "colour,total_orders,last_order_ts,segment_name,,country_code\nred,15,,frequent_segment,x,Peru\n";
    expect(await (await post(body)).text()).toBe(
      `colour,total_orders,last_order_ts,segment_name,,country_code,${ADDED}\nred,15,,frequent_segment,x,Peru,${OF_THREE}\n`,
    );
  });

  it("keeps its own column if the answer has one of this name", async () => {
    const [header, line] = (
      await (
        await post("Segment,voucher_segment,country_code,total_orders\nx,y,Peru,15\n", CSV, FREQUENT)
      ).text()
    ).split("\n");
    expect(header).toBe(
      `Segment,voucher_segment,country_code,total_orders,voucher_voucher_segment,${ADDED.replace("segment,", "")}`,
    );
    expect(line).toBe(`x,y,Peru,15,${OF_THREE}`);
  });

  it("keeps its byte order mark", async () => {
    const bytes = await (await post(`\uFEFF${csv(GOOD)}`)).arrayBuffer();
    expect(Buffer.from(bytes).toString()).toBe(`\uFEFF${ANSWER_HEADER}\n${GOOD_ANSWER}\n`);
  });

  it.each([
    ["CRLF", csv(GOOD).replaceAll("\n", "\r\n")],
    ["no newline at its end", csv(GOOD).trimEnd()],
    ["blank lines", csv("", GOOD, "", "")],
    ["quotes", csv('"a","Peru","frequent_segment","15","2020-04-20 00:00:00"')],
  ])("may have %s", async (_what, body) => {
    expect(await linesOf(body)).toEqual([GOOD_ANSWER]);
  });

  it.each([
    [" 15 ", "blanks"],
    ["15.0", "a point"],
    ["+15", "a sign"],
    ["015.000", "zeros"],
  ])("may have a number such as %j, with %s, as raw data may", async (orders) => {
    const row = `a,Peru,frequent_segment,${orders},`;
    expect(await linesOf(csv(row))).toEqual([`${row},${OF_THREE}`]);
  });

  it.each([
    ["semicolons", ";"],
    ["tabs", "\t"],
  ])("may be separated by %s, and comes back like this", async (_what, delimiter) => {
    const separated = (text: string) => text.replaceAll(",", delimiter);
    expect(await (await post(separated(csv(GOOD)))).text()).toBe(
      separated(`${ANSWER_HEADER}\n${GOOD_ANSWER}\n`),
    );
  });

  it.each([
    "Country Code,Total Orders",
    " COUNTRY-CODE ,total_orders",
    "country,orders",
    '"Country","Total  Orders"',
  ])("may have the header line %j", async (header) => {
    expect(await linesOf(`${header}\nPeru,15\n`, FREQUENT)).toEqual([`Peru,15,${OF_THREE}`]);
  });

  it("takes the exact name of a column before a short one", async () => {
    expect(await linesOf("country,country_code,orders\nX,Peru,15\n", FREQUENT)).toEqual([
      `X,Peru,15,${OF_THREE}`,
    ]);
  });

  it.each([
    ["1.000", /^line 2: total_orders “1\.000” can mean two numbers/],
    ["10,5", /^line 2: total_orders “10,5” must be a whole number/],
  ])("separated by semicolons does not guess at %j", async (orders, message) => {
    const [line = ""] = await linesOf(`country_code;total_orders\nPeru;${orders}\n`, FREQUENT);
    expect(line.split(";").at(-1)).toMatch(message);
  });

  it.each([
    ["country_code|total_orders\n", /^This file is separated by "\|"\. Use commas, semicolons or tabs\./],
    ["country_code;colour\n", /^This file is separated by ";"\. The header line lacks columns/],
    [
      "country_code,total_orders,x;country_code;total_orders\n",
      /^The header line can be read with more than one/,
    ],
    ["PK\x03\x04\x14", /^The file cannot be read\. It is an Excel workbook or a zip file\./],
  ])("that begins with %j is refused in words for people", async (body, words) => {
    expect(await problemOf(body, CSV, FREQUENT)).toMatchObject({
      status: 400,
      detail: expect.stringMatching(words),
    });
  });

  it("in UTF-16 is refused in words for people", async () => {
    const body = new Uint8Array(Buffer.from(`\uFEFF${csv(GOOD)}`, "utf16le"));
    expect(await problemOf(body)).toMatchObject({
      detail: expect.stringContaining("UTF-16. Save it as “CSV UTF-8”"),
    });
  });

  it("may say that it is in Windows-1252, and comes back in UTF-8", async () => {
    const bytes = (row: string) =>
      new Uint8Array(Buffer.concat([Buffer.from(`${HEADER}\n`), Buffer.from(row, "latin1")]));
    const sent = await post(
      bytes("\x80 \xfc,Per\xfa,frequent_segment,15,\n"),
      `${CSV}; charset=Windows-1252`,
    );
    expect((await sent.text()).split("\n")[1]).toMatch(/^€ ü,Perú,frequent_segment,15,,13-37,7,/);
    const [faulty] = await linesOf(bytes("\xfc,Per\xfa,frequent_segment,15,\n"));
    expect(faulty).toMatch(/“\uFFFD,Per\uFFFD,.*” is not in UTF-8\. Excel’s “CSV” is in Windows-1252\./);
    const none = await post(bytes("\x81,Peru,frequent_segment,15,\n"), `${CSV}; charset=windows-1252`);
    expect((await none.text()).split("\n")[1]).toContain("is not in Windows-1252");
  });

  it("is escaped for a spreadsheet if asked, without harm to numbers", async () => {
    const cells = ["=1+1", "+1 2", "-5", "-5.5", "-x", "@a", '"\t1"', '"=""a"""', "a=b"];
    const body = ["country_code,total_orders,=note", ...cells.map((cell) => `Peru,15,${cell}`), ""].join(
      "\n",
    );
    const noteOf = (line: string) => line.slice("Peru,15,".length, -OF_THREE.length - 1);
    const response = await post(body, CSV, `${FREQUENT}&escape=spreadsheet`);
    const [header, ...lines] = (await response.text()).trimEnd().split("\n");
    expect(header).toBe(`country_code,total_orders,'=note,${ADDED}`);
    expect(lines.map(noteOf)).toEqual([
      "'=1+1",
      "'+1 2",
      "-5",
      "-5.5",
      "'-x",
      "'@a",
      "'\t1",
      `"'=""a"""`,
      "a=b",
    ]);
    expect((await linesOf(body, FREQUENT)).map(noteOf)).toEqual([
      ...cells.slice(0, 6),
      "\t1",
      ...cells.slice(7),
    ]);
  });

  it("may have newlines, commas and quotes in quotes", async () => {
    const row = GOOD.replace("a", '"a,\r\n""b"""');
    const response = await post(csv(row), CSV, "", { accept: NDJSON });
    expect(JSON.parse((await response.text()).split("\n")[0] ?? "")).toEqual({
      ...goodTextAnswer,
      customer_id: 'a,\r\n"b"',
    });
    expect(await (await post(csv(row))).text()).toBe(`${ANSWER_HEADER}\n${row},${OF_THREE}\n`);
  });

  it("may be compressed by gzip", async () => {
    const response = await post(new Uint8Array(gzipSync(csv(GOOD))), CSV, "", { "content-encoding": "gzip" });
    expect(await response.text()).toBe(`${ANSWER_HEADER}\n${GOOD_ANSWER}\n`);
  });

  it("without lines is answered by a header", async () => {
    expect(await (await post(HEADER)).text()).toBe(`${ANSWER_HEADER}\n`);
  });

  it("is answered in NDJSON where Accept asks for it", async () => {
    const response = await post(csv(GOOD), CSV, "", { accept: NDJSON });
    expect(response.headers.get("content-type")).toMatch(/^application\/x-ndjson/);
    expect(await response.text()).toContain(`${JSON.stringify(goodTextAnswer)}\n{"summary":`);
  });

  it("takes the segment_name of the query for the lines that name none", async () => {
    expect(await linesOf("country_code,total_orders\nPeru,15\n", FREQUENT)).toEqual([`Peru,15,${OF_THREE}`]);
    const rows = [",Peru,,15,2020-04-20", ",Peru,recency_segment,15,2020-04-20"];
    expect(await linesOf(csv(...rows), FREQUENT)).toEqual([
      `${rows[0]},${OF_THREE}`,
      `${rows[1]},${OF_MANY}`,
    ]);
  });

  it.each([
    ["", "", ["country_code", "segment_name", "total_orders", "last_order_ts"]],
    ["segment_name,country_code\n", "", ["total_orders", "last_order_ts"]],
    ["customer_id\n", "?segment_name=recency_segment", ["country_code", "last_order_ts"]],
    [`${HEADER},country_code\n`, "", ["country_code"]],
  ])(
    "with the header %j and the query %j is refused, and each column named",
    async (header, query, fields) => {
      const problem = await problemOf(header, CSV, query);
      expect(problem).toMatchObject({ status: 400, type: "urn:voucher-pipeline:problem:invalid-request" });
      expect(problem.errors?.map(({ field }) => field)).toEqual(fields);
    },
  );
});

describe("a file of NDJSON", () => {
  it("is answered line by line, in NDJSON, with the totals as the last line", async () => {
    const response = await post(`${ndjson(customer)}\r\n${JSON.stringify(customer)}`, NDJSON);
    expect(response.headers.get("content-type")).toMatch(/^application\/x-ndjson/);
    const [first, second, last] = (await response.text()).trimEnd().split("\n");
    expect(JSON.parse(first ?? "")).toEqual(goodAnswer);
    expect(JSON.parse(second ?? "")).toEqual(goodAnswer);
    expect(JSON.parse(last ?? "")).toMatchObject({ summary: { lines: 2, total_amount: 5280 } });
  });

  it("comes back with all its fields, exactly as they are", async () => {
    const line =
      '{"id": 12345678901234567890, "nested": {"a": [1, null]}, "country_code":"Peru", "total_orders":15.0}';
    const [first = ""] = (await (await post(`${line}\n{}\n`, NDJSON, FREQUENT)).text()).split("\n");
    expect(first).toBe(`${line.slice(0, -1)},${JSON.stringify(goodResult).slice(1)}`);
  });

  it("has the same names of the result in every line", async () => {
    const [first, second] = await valuesOf(ndjson({ ...customer, error: 7 }, customer));
    expect(first).toMatchObject({ error: 7, voucher_error: null, voucher_amount: 2640 });
    expect(second).toMatchObject({ voucher_error: null });
    const [plain, faulty] = await valuesOf(ndjson(customer, { ...customer, error: 7 }));
    expect(plain).toMatchObject({ error: null });
    expect(faulty).toMatchObject({
      error: "line 2: has the field error, which the first line does not have",
    });
  });
});

describe("a line at fault", () => {
  it.each([
    ["an unknown segment_name", "a,Peru,loyal,15,", /^segment_name “loyal” must be frequent_segment or/],
    [
      "orders that are no number",
      "a,Peru,frequent_segment,many,",
      /^total_orders “many” must be a whole number/,
    ],
    [
      "orders that are no whole number",
      "a,Peru,frequent_segment,4.5,",
      /^total_orders “4.5” must be a whole number/,
    ],
    ["too many orders", "a,Peru,frequent_segment,2147483648,", /^total_orders “2147483648” must be a whole/],
    ["no orders", "a,Peru,frequent_segment,,", /^total_orders is needed for frequent_segment$/],
    [
      "a date that does not exist",
      "a,Peru,recency_segment,15,2020-02-30",
      /^last_order_ts “2020-02-30” must be/,
    ],
    [
      "a last order after as_of",
      "a,Peru,recency_segment,15,2020-05-30",
      /^last_order_ts “2020-05-30” must not be/,
    ],
    ["no country", "a, ,frequent_segment,15,", /^country_code is missing$/],
    ["too few values", "a,Peru", /^“a,Peru” has 2 values, and the header line has 5$/],
    ["too many values", "a,b,c,d,e,f", /^“a,b,c,d,e,f” has 6 values, and the header line has 5$/],
    [
      "a quote in a wrong place",
      'a"b,Peru,frequent_segment,15,',
      /^“a"b,Peru,.*” has a quote in a wrong place$/,
    ],
    ["text after a quote", '"a"b,Peru,frequent_segment,15,', /^“"a"b,Peru,.*” has a quote in a wrong place$/],
    [
      "a quote without its end",
      '"a,Peru,frequent_segment,15,',
      /^“"a,Peru,.*” opens a quote that is not closed$/,
    ],
    ["more than 64 kB", "x".repeat(70_000), /^“x{60}…” has more than 65,536 bytes$/],
    ["very many empty values", ",".repeat(70_000), /^“,{60}…” has more than 65,536 bytes$/],
  ])(
    "of CSV, with %s, has an error with its line and value, and stops no other",
    async (_fault, row, message) => {
      const [first, second, third] = await valuesOfCsv(csv("", GOOD, row, GOOD));
      expect(first).toEqual(goodTextAnswer);
      expect(second).toMatchObject({ segment: null, voucher_amount: null, basis: null });
      expect(second?.["error"]).toMatch(/^line 4: /);
      expect(String(second?.["error"]).replace("line 4: ", "")).toMatch(message);
      expect(third).toEqual(goodTextAnswer);
    },
  );

  it.each([
    ["no JSON", "{", /^“{” must be a JSON object$/],
    ["a list", "[]", /^“\[\]” must be a JSON object$/],
    ["null", "null", /^“null” must be a JSON object$/],
    [
      "orders as text",
      ndjson({ ...customer, total_orders: "15" }).trim(),
      /^total_orders “15” must be a whole/,
    ],
    [
      "more than 64 kB",
      ndjson({ country_code: "x".repeat(70_000) }).trim(),
      /^“.*” has more than 65,536 bytes$/,
    ],
    [
      "two faults",
      ndjson({ ...customer, total_orders: -1, country_code: 1 }).trim(),
      /^country_code “1” must.*; total_orders “-1” must/,
    ],
  ])("of NDJSON, with %s, has an error, and stops no other", async (_fault, line, message) => {
    const [first, second, last] = await valuesOf(`${line}\n${ndjson(customer)}`);
    expect(first).toMatchObject({ segment: null, voucher_amount: null, basis: null });
    expect(String(first?.["error"]).replace("line 1: ", "")).toMatch(message);
    expect(second).toEqual(goodAnswer);
    expect(last).toMatchObject({ summary: { lines: 2, priced: 1, faulty: 1 } });
  });

  it("of bytes that are not UTF-8 has an error, and stops no other", async () => {
    const bytes = Buffer.concat([
      Buffer.from(csv(GOOD)),
      Buffer.from([0xff, 0xfe, 0x0a]),
      Buffer.from(`${GOOD}\n`),
    ]);
    const lines = await linesOf(new Uint8Array(bytes));
    expect([lines[0], lines[2]]).toEqual([GOOD_ANSWER, GOOD_ANSWER]);
    expect(lines[1]).toContain("line 3: “\uFFFD\uFFFD” is not in UTF-8.");
  });

  it("opens a quote, and the lines after it are read by themselves", async () => {
    const body = csv(
      GOOD,
      '"b,Peru,frequent_segment,15,',
      GOOD,
      '"c","Peru",frequent_segment,15,',
      '"d\nd",Peru,frequent_segment,15,',
      GOOD,
    );
    const values = await valuesOfCsv(body);
    expect(values.map(({ customer_id, error }) => [customer_id, error])).toEqual([
      ["a", null],
      ['"b', 'line 3: “"b,Peru,frequent_segment,15,” opens a quote that is not closed'],
      ["a", null],
      ["c", null],
      ["d\nd", null],
      ["a", null],
    ]);
  });

  it("that opens a quote costs no more than other lines", async () => {
    const hostile = ['"x', '"x","', 'x","', ...Array.from({ length: 20 }, () => "y")].join("\n");
    const begun = process.cpuUsage();
    const response = await post(csv(...Array.from({ length: 20_000 }, () => hostile)), CSV, "?summary=true");
    expect(await response.json()).toMatchObject({ summary: { priced: 0 } });
    expect(process.cpuUsage(begun).user / 1_000_000).toBeLessThan(20);
  });

  async function valuesOfCsv(body: string): Promise<Record<string, unknown>[]> {
    const text = await (await post(body, CSV, "", { accept: NDJSON })).text();
    return text
      .trimEnd()
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
});

describe("the answers", () => {
  it("come in the order of the lines", async () => {
    const rows = Array.from({ length: 5_000 }, (_, index) => GOOD.replace("a", `c${index.toString()}`));
    expect(await linesOf(csv(...rows))).toEqual(rows.map((row) => `${row},${OF_THREE}`));
  });

  it("have no amount and a reason if the publication knows none, unless the country answers", async () => {
    const rows = [",Peru,frequent_segment,50,", ",Atlantis,frequent_segment,15,"];
    expect(await linesOf(csv(...rows))).toEqual([
      `${rows[0]},37+,,,,none,empty_segment,,`,
      `${rows[1]},13-37,,,,none,unknown_country,,`,
    ]);
    expect(await linesOf(csv(...rows), "?fallback=country")).toEqual([
      `${rows[0]},37+,1000,,,country,,,`,
      `${rows[1]},13-37,,,,none,unknown_country,,`,
    ]);
  });

  it("leave out segments with too few vouchers", async () => {
    expect(await linesOf(csv(GOOD), "?min_assignments=4")).toEqual([
      `${GOOD},13-37,,,,none,too_few_vouchers,,`,
    ]);
  });

  it("leave out segments whose answer is not certain enough", async () => {
    for (const minimum of ["0.99", "sure"])
      expect(await linesOf(csv(GOOD), `?min_certainty=${minimum}`)).toEqual([
        `${GOOD},13-37,,,,none,too_uncertain,,`,
      ]);
    for (const minimum of ["0.5", "0"])
      expect(await linesOf(csv(GOOD), `?min_certainty=${minimum}`)).toEqual([GOOD_ANSWER]);
  });

  it("name the countries nearest to one that is unknown, for the first hundred", async () => {
    const row = ",peru,frequent_segment,15,";
    expect(await linesOf(csv(row))).toEqual([`${row},13-37,,,,none,unknown_country,Peru; Perú,`]);
    const strangers = Array.from(
      { length: 100 },
      (_, index) => `,Land ${index.toString()},frequent_segment,15,`,
    );
    const lines = await linesOf(csv(...strangers, row));
    expect(lines.at(-1)).toBe(`${row},13-37,,,,none,unknown_country,,`);
  });

  it("count recency to as_of", async () => {
    const row = ",Peru,recency_segment,,2020-04-20";
    expect(await linesOf(csv(row), "?as_of=2020-04-25")).toEqual([`${row},0-30,,,,none,empty_segment,,`]);
  });

  it("refuse an execution date that is not published", async () => {
    expect(await problemOf(csv(GOOD), CSV, "?execution_date=2019-01-01")).toMatchObject({ status: 404 });
  });
});

describe("the totals", () => {
  const body = csv(
    GOOD,
    ",Perú,frequent_segment,15,",
    ",Atlantis,frequent_segment,15,",
    ",Lemuria,frequent_segment,15,",
    "fault",
  );
  const summary = {
    lines: 5,
    priced: 2,
    without_amount: 2,
    faulty: 1,
    total_amount: 2647,
    certainty: { sure: 0, likely: 1, "toss-up": 1 },
    groups: [
      group({ country_code: "Peru", customers: 1, priced: 1, total_amount: 2640 }),
      group({ country_code: "Perú", customers: 1, priced: 1, total_amount: 7 }),
      group({ country_code: null, customers: 2, priced: 0, total_amount: 0 }),
    ],
  };

  function group(changes: object) {
    return { segment_name: "frequent_segment", segment: "13-37", ...changes };
  }

  it("come alone on request, with unknown countries together", async () => {
    const response = await post(body, CSV, "?summary=true");
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(await response.json()).toEqual({ summary });
  });

  it("are a trailer field of CSV, in ASCII", async () => {
    const { request, response } = open();
    request.end(body);
    const message = await response;
    expect(message.headers.trailer).toBe("Price-Summary");
    await message.resume().toArray();
    expect(message.trailers["price-summary"]).toContain("Per\\u00fa");
    expect(JSON.parse(message.trailers["price-summary"] ?? "")).toEqual(summary);
  });

  it("have no groups in a trailer field that would be too long, and say so", async () => {
    const countries = Array.from({ length: 100 }, (_, index) => `Country ${index.toString()}`);
    const { settings } = await runOver(countries.map((country_code) => voucher({ country_code })));
    const many = await serve(settings);
    const request = httpRequest(`${many.url}/v1/campaigns/price?segment_name=frequent_segment`, {
      method: "POST",
      headers: { "content-type": CSV },
    });
    request.end(["country_code,total_orders", ...countries.map((country) => `${country},7`), ""].join("\n"));
    const [message] = (await once(request, "response")) as [IncomingMessage];
    await message.resume().toArray();
    expect(JSON.parse(message.trailers["price-summary"] ?? "")).toEqual({
      lines: 100,
      priced: 100,
      without_amount: 0,
      faulty: 0,
      total_amount: 264_000,
      certainty: { sure: 0, likely: 0, "toss-up": 100 },
      groups_omitted: true,
    });
  });

  it("are left out for a client of HTTP/1.0, which knows no trailers", async () => {
    const answer = await raw(
      `POST /v1/campaigns/price HTTP/1.0\r\nContent-Type: text/csv\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain(`${ANSWER_HEADER}\n${GOOD_ANSWER}\n`);
  });
});

describe("a body that cannot be read", () => {
  it("is refused if it is not compressed as it says", async () => {
    expect(await problemOf(csv(GOOD), CSV, "", { "content-encoding": "gzip" })).toMatchObject({
      status: 400,
    });
  });

  it("is ended early if it expands to far more than files of customers do", async () => {
    const size = 16 * 1024 ** 2;
    const bomb = gzipSync(Buffer.alloc(size, ","));
    expect(await problemOf(new Uint8Array(bomb), CSV, "", { "content-encoding": "gzip" })).toMatchObject({
      status: 413,
    });
    const header = Buffer.from(`${HEADER}\n`);
    const lines = gzipSync(Buffer.concat([header, Buffer.alloc(size, `,,,,${" ".repeat(100)}\n`)]));
    const response = await post(new Uint8Array(lines), CSV, "?summary=true", { "content-encoding": "gzip" });
    expect(await response.json()).toMatchObject({ status: 413 });
  });

  it.each([
    ["blank lines", CSV, "\n"],
    ["faulty lines", CSV, "x\n"],
    ["values that are none", NDJSON, "1\n"],
  ])("is ended early if a little expands to very many %s", async (_what, type, line) => {
    const bomb = gzipSync((type === CSV ? `${HEADER}\n` : "") + line.repeat(8_000_000));
    const begun = process.cpuUsage();
    const response = await post(new Uint8Array(bomb), type, "?summary=true", { "content-encoding": "gzip" });
    expect(await response.json()).toMatchObject({ status: 413 });
    const { user } = process.cpuUsage(begun);
    expect(user / 1_000_000).toBeLessThan(8);
  });

  it.each([
    ["application/json", {}],
    ["text/csv; charset=latin1", {}],
    [CSV, { "content-encoding": "zstd" }],
  ])("because it is %s %j is refused as a kind that is not read", async (type, headers) => {
    expect(await problemOf(csv(GOOD), type, "", headers)).toMatchObject({ status: 415 });
  });

  it.each([
    [CSV, [ANSWER_HEADER, GOOD_ANSWER], csv(GOOD, "")],
    [NDJSON, [JSON.stringify(goodAnswer)], ndjson(customer)],
  ])("any further ends the answer of %s by a line that has the reason", async (type, lines, body) => {
    const { request, response } = open("", type, { "content-encoding": "gzip" });
    request.write(gzipSync(body, { finishFlush: constants.Z_SYNC_FLUSH }));
    const message = await response;
    let text = "";
    message.setEncoding("utf8").on("data", (part: string) => (text += part));
    await until(() => text === `${lines.join("\n")}\n`);
    request.end("this is not compressed");
    await once(message, "end");
    const [last = "", totals = ""] = text.trimEnd().split("\n").slice(lines.length);
    expect(last).toContain("The service cannot decompress the body.");
    const told = type === CSV ? message.trailers["price-summary"] : totals;
    expect(told).toContain('"unread":"The service cannot decompress the body."');
  });
});

describe("a file that comes slowly", () => {
  const halves: [string, string, string[], string[]][] = [
    [CSV, csv(GOOD), [ANSWER_HEADER, GOOD_ANSWER], [GOOD_ANSWER]],
    [
      CSV,
      csv('"a","Peru","frequent_segment","15","2020-04-20 00:00:00"').replaceAll("\n", "\r\n"),
      [ANSWER_HEADER, GOOD_ANSWER],
      [GOOD_ANSWER],
    ],
    [NDJSON, ndjson(customer), [JSON.stringify(goodAnswer)], [JSON.stringify(goodAnswer)]],
  ];

  it.each(halves)(
    "of %s %j is answered line by line as soon as each is complete",
    async (type, file, first, second) => {
      const { request, response } = open("", type);
      request.write(file);
      const message = await response;
      let text = "";
      message.setEncoding("utf8").on("data", (part: string) => (text += part));
      await until(() => text === `${first.join("\n")}\n`);
      request.write(type === CSV ? file.slice(file.indexOf("\n") + 1) : file);
      await until(() => text === `${[...first, ...second].join("\n")}\n`);
      request.end();
      await once(message, "end");
    },
  );

  it("has the line of a fault, in pieces of any size", async () => {
    const { request, response } = open();
    for (const piece of [csv(GOOD), `${GOOD}\n`, GOOD.slice(0, 5), `${GOOD.slice(5)}\n`]) {
      request.write(piece);
      await wait(50);
    }
    request.end(`a"b,Peru\n`);
    const message = await response;
    expect((await message.setEncoding("utf8").toArray()).join("")).toContain(
      'line 5: “a""b,Peru” has a quote',
    );
  });

  it("may have a line break in quotes at the end of a piece", async () => {
    const { request, response } = open("?summary=true");
    request.write(`${HEADER}\n"a\n`);
    await wait(50);
    request.end(`b",Peru,frequent_segment,15,\n`);
    const message = await response;
    expect(JSON.parse((await message.setEncoding("utf8").toArray()).join(""))).toMatchObject({
      summary: { lines: 1, priced: 1 },
    });
  });
});

describe("while a file is answered", () => {
  it("does not fail if the client goes away", async () => {
    const log: string[] = [];
    const { url } = await alone({ log: (line) => log.push(line) });
    const request = httpRequest(url, { method: "POST", headers: { "content-type": CSV } });
    request.on("error", () => undefined);
    request.write(csv(GOOD, GOOD));
    const [message] = (await once(request, "response")) as [IncomingMessage];
    message.on("error", () => undefined);
    request.destroy();
    await wait(200);
    expect(log.filter((line) => (JSON.parse(line) as { level: number }).level >= 50)).toEqual([]);
    expect(
      (await fetch(url, { method: "POST", body: csv(GOOD), headers: { "content-type": CSV } })).status,
    ).toBe(200);
  });

  it("a client that sends nothing gets the reason, also after a part of the answer", async () => {
    const { url, port } = await alone({ idleMilliseconds: 200 });
    const head = `POST ${new URL(url).pathname} HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\nContent-Length: 999\r\n\r\n`;
    expect(await raw(head, port)).toMatch(/^HTTP\/1\.1 408 .*request-too-late/s);
    const cut = await raw(head + csv(GOOD, GOOD), port);
    expect(cut).toMatch(/^HTTP\/1\.1 200 /);
    expect(cut).toContain(
      "The lines after line 3 are not priced. No more of the body arrived within 0.2 seconds.",
    );
  });

  it("a client that reads nothing is cut off, and its lines are not held", async () => {
    const { port, url } = await alone({ idleMilliseconds: 500 });
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    socket.pause();
    socket.write(
      `POST ${new URL(url).pathname} HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const part = Buffer.from(`${HEADER}\n${`${GOOD}\n`.repeat(2_000)}`);
    const chunk = Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]);
    let taken = 0;
    const closed = new Promise((resolve) => socket.on("close", resolve));
    const send = () => {
      while (!socket.destroyed && socket.write(chunk, () => (taken += chunk.length))) continue;
    };
    socket.on("drain", send);
    send();
    await closed;
    // What the system holds in its own buffers is all.
    expect(taken).toBeLessThan(40_000_000);
  });

  it("other requests are answered quickly", async () => {
    const rows = `${GOOD}\n`.repeat(1_000);
    const body = Readable.from(
      (function* () {
        yield `${HEADER}\n`;
        for (let sent = 0; sent < 100; sent += 1) yield rows;
      })(),
      { objectMode: false },
    );
    const { request, response } = open();
    body.pipe(request);
    let lines = 0;
    const message = await response;
    message.on("data", (part: Buffer) => (lines += part.toString().split("\n").length - 1));
    const ended = once(message, "end").then(() => true);
    const waits: number[] = [];
    while (!(await Promise.race([ended, wait(20, false)]))) {
      const started = performance.now();
      expect(await (await fetch(`${api.url}/livez`)).json()).toEqual({ status: "alive" });
      waits.push(performance.now() - started);
    }
    expect(lines).toBe(100_001);
    expect(waits.length).toBeGreaterThan(5);
    expect(waits.sort((a, b) => a - b)[Math.floor(waits.length / 2)]).toBeLessThan(200);
  });
});

const servers: ReturnType<typeof createServer>[] = [];

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const ignore = () => undefined;

/** The operation alone, so that its patience can be short and its log be read. */
async function alone({
  idleMilliseconds = 30_000,
  log = ignore,
}: { idleMilliseconds?: number; log?: (line: string) => unknown } = {}) {
  const logger = pino({}, { write: log });
  const services = { ...api.services, log: logger };
  const { path, handlers } = priceCampaign(services, idleMilliseconds);
  const app = express()
    .use(observe(services))
    .post(path, ...handlers)
    .use(answerError);
  addRequestLog(app, services);
  const server = createServer(app).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return { port, url: `http://127.0.0.1:${port.toString()}${path}` };
}

/** All that comes for some bytes, until the service closes the connection. */
async function raw(text: string, port = api.port): Promise<string> {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  socket.write(text);
  let answer = "";
  socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
  await new Promise((resolve) => socket.on("close", resolve));
  return answer;
}
