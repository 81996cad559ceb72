import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";
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
const ANSWER_HEADER =
  "line,customer_id,country_code,segment_name,segment,voucher_amount,basis,error,certainty,certainty_word,none_because,nearest_countries";
/** How certain the answers of three of three vouchers, and of nine of twelve, are. */
const OF_THREE = "0.844,likely,,";
const OF_MANY = "0.986,sure,,";
const GOOD_ANSWER = `1,a,Peru,frequent_segment,13-37,2640,segment,,${OF_THREE}`;

const customer = {
  customer_id: "a",
  country_code: "Peru",
  segment_name: "frequent_segment",
  total_orders: 15,
  last_order_ts: "2020-04-20 00:00:00",
};
const goodAnswer = {
  line: 1,
  customer_id: "a",
  country_code: "Peru",
  segment_name: "frequent_segment",
  segment: "13-37",
  voucher_amount: 2640,
  basis: "segment",
  error: null,
  certainty: 0.844,
  certainty_word: "likely",
  none_because: null,
  nearest_countries: null,
};

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

const ndjson = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");
const csv = (...rows: string[]) => [HEADER, ...rows, ""].join("\n");

/** Sends without an end, and reads by hand. */
function open(query = "", type = CSV) {
  const request = httpRequest(address + query, { method: "POST", headers: { "content-type": type } });
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
      `${ANSWER_HEADER}\n${GOOD_ANSWER}\n2,b,Peru,recency_segment,30-60,1000,segment,,${OF_MANY}\n`,
    );
  });

  it("has its columns in any order, and further ones", async () => {
    const body =
      "colour,total_orders,last_order_ts,segment_name,country_code\nred,15,,frequent_segment,Peru\n";
    expect(await linesOf(body)).toEqual([`1,,Peru,frequent_segment,13-37,2640,segment,,${OF_THREE}`]);
  });

  it.each([
    ["a byte order mark", `\uFEFF${csv(GOOD)}`],
    ["CRLF", csv(GOOD).replaceAll("\n", "\r\n")],
    ["no newline at its end", csv(GOOD).trimEnd()],
    ["blank lines", csv("", GOOD, "", "")],
    ["quotes", csv('"a","Peru","frequent_segment","15","2020-04-20 00:00:00"')],
  ])("may have %s", async (_what, body) => {
    expect(await linesOf(body)).toEqual([GOOD_ANSWER]);
  });

  it("may have newlines, commas and quotes in quotes", async () => {
    const response = await post(csv(GOOD.replace("a", '"a,\n""b"""')), CSV, "", { accept: NDJSON });
    expect(JSON.parse((await response.text()).split("\n")[0] ?? "")).toEqual({
      ...goodAnswer,
      customer_id: 'a,\n"b"',
    });
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
    expect(await response.text()).toContain(`${JSON.stringify(goodAnswer)}\n{"summary":`);
  });

  it("takes the segment_name of the query for the lines that name none", async () => {
    expect(await linesOf("country_code,total_orders\nPeru,15\n", "?segment_name=frequent_segment")).toEqual([
      `1,,Peru,frequent_segment,13-37,2640,segment,,${OF_THREE}`,
    ]);
    const mixed = csv(",Peru,,15,2020-04-20", ",Peru,recency_segment,15,2020-04-20");
    expect(await linesOf(mixed, "?segment_name=frequent_segment")).toEqual([
      `1,,Peru,frequent_segment,13-37,2640,segment,,${OF_THREE}`,
      `2,,Peru,recency_segment,30-60,1000,segment,,${OF_MANY}`,
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
    expect(JSON.parse(second ?? "")).toEqual({ ...goodAnswer, line: 2 });
    expect(JSON.parse(last ?? "")).toMatchObject({ summary: { lines: 2, total_amount: 5280 } });
  });

  it("is answered in CSV where Accept asks for it", async () => {
    const response = await post(ndjson(customer), NDJSON, "", { accept: CSV });
    expect(await response.text()).toBe(`${ANSWER_HEADER}\n${GOOD_ANSWER}\n`);
  });
});

describe("a line at fault", () => {
  it.each([
    ["an unknown segment_name", "a,Peru,loyalty_segment,15,", /^segment_name must be frequent_segment or/],
    ["orders that are no number", "a,Peru,frequent_segment,many,", /^total_orders must be a whole number/],
    ["no orders", "a,Peru,frequent_segment,,", /^total_orders is needed for frequent_segment$/],
    [
      "a date that does not exist",
      "a,Peru,recency_segment,15,2020-02-30",
      /^last_order_ts must be a valid date/,
    ],
    ["a last order after as_of", "a,Peru,recency_segment,15,2020-05-30", /^last_order_ts must not be later/],
    ["no country", "a,,frequent_segment,15,", /^country_code is missing$/],
    ["too few values", "a,Peru", /^line must have one value for each column of the header$/],
    ["too many values", `${GOOD},x`, /^line must have one value for each column of the header$/],
  ])("of CSV, with %s, is told without stopping the others", async (_fault, row, message) => {
    const body = csv(row, GOOD);
    const [first, second] = await valuesOfCsv(body);
    expect(first).toMatchObject({ line: 1, segment: null, voucher_amount: null, basis: null });
    expect(first?.["error"]).toMatch(message);
    expect(second).toEqual({ ...goodAnswer, line: 2 });
  });

  it.each([
    ["no JSON", "{", /^line must be a JSON object$/],
    ["a list", "[]", /^line must be a JSON object$/],
    ["null", "null", /^line must be a JSON object$/],
    ["orders as text", ndjson({ ...customer, total_orders: "15" }).trim(), /^total_orders must be a whole/],
    [
      "two faults",
      ndjson({ ...customer, total_orders: -1, country_code: 1 }).trim(),
      /^country.*; total_orders/,
    ],
  ])("of NDJSON, with %s, is told without stopping the others", async (_fault, line, message) => {
    const [first, second, last] = await valuesOf(`${line}\n${ndjson(customer)}`);
    expect(first).toMatchObject({ line: 1, segment: null, voucher_amount: null, basis: null });
    expect(first?.["error"]).toMatch(message);
    expect(second).toEqual({ ...goodAnswer, line: 2 });
    expect(last).toMatchObject({ summary: { lines: 2, priced: 1, faulty: 1 } });
  });

  async function valuesOfCsv(body: string): Promise<Record<string, unknown>[]> {
    const text = await (await post(body, CSV, "", { accept: NDJSON })).text();
    return text.split("\n", 2).map((line) => JSON.parse(line) as Record<string, unknown>);
  }
});

describe("the answers", () => {
  it("come in the order of the lines", async () => {
    const rows = Array.from({ length: 5_000 }, (_, index) => GOOD.replace("a", `c${index.toString()}`));
    const lines = await linesOf(csv(...rows));
    expect(lines.map((line) => line.split(",", 2).join())).toEqual(
      rows.map((_row, index) => `${(index + 1).toString()},c${index.toString()}`),
    );
  });

  it("have no amount where the publication knows none, unless the country answers", async () => {
    const body = csv(",Peru,frequent_segment,50,", ",Atlantis,frequent_segment,15,");
    expect(await linesOf(body)).toEqual([
      "1,,Peru,frequent_segment,37+,,none,,,,empty_segment,",
      "2,,Atlantis,frequent_segment,13-37,,none,,,,unknown_country,",
    ]);
    expect(await linesOf(body, "?fallback=country")).toEqual([
      "1,,Peru,frequent_segment,37+,1000,country,,,,,",
      "2,,Atlantis,frequent_segment,13-37,,none,,,,unknown_country,",
    ]);
  });

  it("leave out segments with too few vouchers", async () => {
    expect(await linesOf(csv(GOOD), "?min_assignments=4")).toEqual([
      "1,a,Peru,frequent_segment,13-37,,none,,,,too_few_vouchers,",
    ]);
  });

  it("leave out segments whose answer is not certain enough", async () => {
    const none = ["1,a,Peru,frequent_segment,13-37,,none,,,,too_uncertain,"];
    for (const minimum of ["0.99", "sure"])
      expect(await linesOf(csv(GOOD), `?min_certainty=${minimum}`)).toEqual(none);
    for (const minimum of ["0.5", "0"])
      expect(await linesOf(csv(GOOD), `?min_certainty=${minimum}`)).toEqual([GOOD_ANSWER]);
  });

  it("name the countries nearest to one that is unknown, for the first hundred", async () => {
    expect(await linesOf(csv(",peru,frequent_segment,15,"))).toEqual([
      "1,,peru,frequent_segment,13-37,,none,,,,unknown_country,Peru; Perú",
    ]);
    const strangers = Array.from(
      { length: 100 },
      (_, index) => `,Land ${index.toString()},frequent_segment,15,`,
    );
    const lines = await linesOf(csv(...strangers, ",peru,frequent_segment,15,"));
    expect(lines.at(-1)).toBe("101,,peru,frequent_segment,13-37,,none,,,,unknown_country,");
  });

  it("count recency to as_of", async () => {
    expect(await linesOf(csv(",Peru,recency_segment,,2020-04-20"), "?as_of=2020-04-25")).toEqual([
      "1,,Peru,recency_segment,0-30,,none,,,,empty_segment,",
    ]);
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
    groups: [
      group({ country_code: "Peru", customers: 1, priced: 1, total_amount: 2640 }),
      group({ country_code: "Perú", customers: 1, priced: 1, total_amount: 7 }),
      group({ country_code: null, customers: 2, priced: 0, total_amount: 0 }),
    ],
  };

  function group(changes: object) {
    return { segment_name: "frequent_segment", segment: "13-37", ...changes };
  }

  it("come alone where they are asked for alone, with unknown countries together", async () => {
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
  it.each<[string, Body, string]>([
    ["is no UTF-8", new Uint8Array([...Buffer.from(`${HEADER}\n`), 0xff, 0xfe, 0x0a]), CSV],
    ["ends within a character", new Uint8Array([...Buffer.from(csv(GOOD).trimEnd()), 0xc3]), CSV],
    ["has a quote without its end", csv('"a,Peru'), CSV],
    ["has a quote in a wrong place", csv(`a"b,Peru`), CSV],
    ["has text after a quote", csv(`"a"b,Peru`), CSV],
    ["has a line of more than 64 kB in CSV", csv("x".repeat(70_000)), CSV],
    ["has very many empty values", csv(",".repeat(300_000)), CSV],
    ["has a line of more than 64 kB in NDJSON", ndjson({ country_code: "x".repeat(70_000) }), NDJSON],
  ])("because it %s is refused before anything is sent", async (_fault, body, type) => {
    expect(await problemOf(body, type)).toMatchObject({
      status: 400,
      type: "urn:voucher-pipeline:problem:invalid-request",
      errors: [{ field: "body" }],
    });
  });

  it("is refused where it is not compressed as it says", async () => {
    expect(await problemOf(csv(GOOD), CSV, "", { "content-encoding": "gzip" })).toMatchObject({
      status: 400,
    });
  });

  it("is ended early if it expands to far more than files of customers do", async () => {
    const size = 16 * 1024 ** 2;
    const bomb = gzipSync(Buffer.alloc(size, ","));
    expect(await problemOf(new Uint8Array(bomb), CSV, "", { "content-encoding": "gzip" })).toMatchObject({
      status: 400,
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

  it("any further breaks the answer off after what was good", async () => {
    const { request, response } = open();
    request.write(csv(GOOD, GOOD));
    const message = await response;
    let text = "";
    message.setEncoding("utf8").on("data", (part: string) => (text += part));
    request.write('"b,Peru\n');
    request.end();
    await expect(once(message, "end")).rejects.toThrow("aborted");
    expect(text).toBe(`${ANSWER_HEADER}\n${GOOD_ANSWER}\n${GOOD_ANSWER.replace("1", "2")}\n`);
  });
});

describe("a file that comes slowly", () => {
  const halves: [string, string, string[], string[]][] = [
    [CSV, csv(GOOD), [ANSWER_HEADER, GOOD_ANSWER], [GOOD_ANSWER.replace("1", "2")]],
    [
      CSV,
      csv('"a","Peru","frequent_segment","15","2020-04-20"').replaceAll("\n", "\r\n"),
      [ANSWER_HEADER, GOOD_ANSWER],
      [GOOD_ANSWER.replace("1", "2")],
    ],
    [NDJSON, ndjson(customer), [JSON.stringify(goodAnswer)], [JSON.stringify({ ...goodAnswer, line: 2 })]],
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

  it("is told the line of a fault, whatever pieces it came in", async () => {
    const { request, response } = open("?summary=true");
    for (const piece of [csv(GOOD), `${GOOD}\n`, `${GOOD}\n`]) {
      request.write(piece);
      await wait(50);
    }
    request.end(`a"b,Peru\n`);
    const message = await response;
    const problem = JSON.parse((await message.setEncoding("utf8").toArray()).join("")) as { detail: string };
    expect(problem.detail).toContain("near line 5");
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
  it("a client that goes away is no error", async () => {
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

  it("a client that sends nothing is told so, and cut off once it has a part of the answer", async () => {
    const { url, port } = await alone({ idleMilliseconds: 200 });
    const head = `POST ${new URL(url).pathname} HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\nContent-Length: 999\r\n\r\n`;
    expect(await raw(head, port)).toMatch(/^HTTP\/1\.1 408 .*request-too-late/s);
    const cut = await raw(head + csv(GOOD, GOOD), port);
    expect(cut).toMatch(/^HTTP\/1\.1 200 /);
    expect(cut).not.toMatch(/\r\n0\r\n/);
  });

  it("a client that reads nothing is cut off, and what it sends is not held", async () => {
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
