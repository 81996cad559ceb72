import { rename, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Settings } from "../../../src/settings/settings.js";
import { readTable } from "../../consumption/reading.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { run, runOver } from "../../run/running.js";
import { makeWorkspace } from "../../workspace.js";
import { serve } from "../serving.js";

const customer = {
  customer_id: 123,
  country_code: "Peru",
  last_order_ts: "2020-04-20 00:00:00",
  first_order_ts: "2017-05-03 00:00:00",
  total_orders: 15,
  segment_name: "frequent_segment",
};

function addressOf(changes: object = {}) {
  return `/voucher/most-used?customer=${encodeURIComponent(JSON.stringify({ ...customer, ...changes }))}`;
}

let url: string;
let port: number;
let settings: Settings;

beforeAll(async () => {
  const workspace = await runOver([
    ...times(2, voucher({ total_orders: "15", voucher_amount: "2640" })),
    voucher({ total_orders: "15", voucher_amount: "3520" }),
    voucher({ total_orders: "2", voucher_amount: "1000" }),
    voucher({ country_code: "Perú", total_orders: "15", voucher_amount: "7" }),
    voucher({ country_code: "15", total_orders: "15", voucher_amount: "8" }),
    voucher({ last_order_ts: "2019-01-01", total_orders: "50", voucher_amount: "9" }),
  ]);
  settings = workspace.settings;
  ({ url, port } = await serve(settings));
});

describe("GET /", () => {
  it.each(["application/json", "*/*"])("answers Hello to a client that accepts %s", async (accept) => {
    const response = await fetch(url, { headers: { accept } });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(await response.text()).toBe('{"Hello":"World!!"}');
  });
});

describe("GET /voucher/most-used", () => {
  const ask = async (address: string) => (await fetch(url + address)).text();

  it("answers the most used voucher of the customer's segment", async () => {
    expect(await ask(addressOf())).toBe('{"voucher_amount":2640}');
    expect(await ask(addressOf({ total_orders: 2 }))).toBe('{"voucher_amount":1000}');
    expect(await ask(addressOf({ segment_name: "recency_segment" }))).toBe('{"voucher_amount":2640}');
  });

  it("counts recency in calendar days up to today", async () => {
    const recency = { segment_name: "recency_segment" };
    expect(await ask(addressOf({ ...recency, last_order_ts: "2020-04-28 23:59:59" }))).toBe(
      '{"voucher_amount":2640}',
    );
    expect(await ask(addressOf({ ...recency, last_order_ts: "2020-04-29 00:00:00" }))).toBe(
      '{"voucher_amount":null}',
    );
    expect(await ask(addressOf({ ...recency, last_order_ts: "2018-03-01 00:00:00" }))).toBe(
      '{"voucher_amount":9}',
    );
  });

  it("answers null if the country and segment have no voucher", async () => {
    expect(await ask(addressOf({ country_code: "Atlantis" }))).toBe('{"voucher_amount":null}');
    expect(await ask(addressOf({ country_code: "peru" }))).toBe('{"voucher_amount":null}');
    expect(await ask(addressOf({ total_orders: 7 }))).toBe('{"voucher_amount":null}');
  });

  it("tells countries apart by their accents", async () => {
    expect(await ask(addressOf({ country_code: "Perú" }))).toBe('{"voucher_amount":7}');
  });

  it.each<[string, object]>([
    ["orders as text", { total_orders: "15" }],
    ["orders as text with blanks", { total_orders: " 15 " }],
    ["orders with a fraction, of which the whole part counts", { total_orders: 15.9 }],
    ["further keys", { colour: "red" }],
    ["a customer_id as text", { customer_id: "abc" }],
    ["a moment with digits left out", { last_order_ts: "2020-4-20 0:0:0" }],
    ["a moment with T", { last_order_ts: "2020-04-20T00:00:00" }],
    ["a moment with a fraction and an offset", { last_order_ts: "2020-04-20T00:00:00.123456+02:00" }],
    ["a moment in UTC", { last_order_ts: "2020-04-20T00:00:00Z" }],
  ])("takes %s", async (_what, changes) => {
    expect(await ask(addressOf(changes))).toBe('{"voucher_amount":2640}');
  });

  it("takes a country that is a number", async () => {
    expect(await ask(addressOf({ country_code: 15 }))).toBe('{"voucher_amount":8}');
  });

  it("takes blanks as + and as %20, keys in any order, and a customer that is encoded twice", async () => {
    const json = JSON.stringify(Object.fromEntries(Object.entries(customer).reverse()));
    const encoded = encodeURIComponent(json);
    for (const parameter of [encoded, encoded.replaceAll("%20", "+"), encodeURIComponent(encoded)]) {
      expect(await ask(`/voucher/most-used?customer=${parameter}`)).toBe('{"voucher_amount":2640}');
    }
  });

  it.each<[string, object, string]>([
    ["no country", { country_code: undefined }, "customer.country_code"],
    ["a country that is null", { country_code: null }, "customer.country_code"],
    ["a country that is a list", { country_code: ["Peru"] }, "customer.country_code"],
    ["no customer_id", { customer_id: undefined }, "customer.customer_id"],
    ["no orders", { total_orders: undefined }, "customer.total_orders"],
    ["orders that are no number", { total_orders: "many" }, "customer.total_orders"],
    ["orders with a fraction as text", { total_orders: "15.5" }, "customer.total_orders"],
    ["orders that are true", { total_orders: true }, "customer.total_orders"],
    ["a last order that does not exist", { last_order_ts: "2020-02-30 00:00:00" }, "customer.last_order_ts"],
    ["a last order at 25 o'clock", { last_order_ts: "2020-02-20 25:00:00" }, "customer.last_order_ts"],
    ["a last order that is a number", { last_order_ts: 1590710400 }, "customer.last_order_ts"],
    ["a last order in a far year", { last_order_ts: "275760-09-14 00:00:00" }, "customer.last_order_ts"],
    ["a first order that cannot be read", { first_order_ts: "soon" }, "customer.first_order_ts"],
    ["an unknown segment", { segment_name: "loyalty_segment" }, "customer.segment_name"],
    ["a segment that every object has", { segment_name: "constructor" }, "customer.segment_name"],
  ])("refuses a customer with %s, and names the field", async (_fault, changes, field) => {
    const response = await fetch(url + addressOf(changes));
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    const problem = (await response.json()) as { errors: { field: string; message: string }[] };
    expect(problem).toMatchObject({ type: "urn:voucher-pipeline:problem:invalid-customer", status: 400 });
    expect(problem.errors).toEqual([{ field, message: expect.any(String) }]);
  });

  it("gives the rule for each field", async () => {
    const wrong = {
      country_code: [],
      last_order_ts: "2022-02-30 00:00:00",
      total_orders: "many",
      segment_name: "x",
    };
    const response = await fetch(url + addressOf({ ...wrong, first_order_ts: undefined }));
    const { errors } = (await response.json()) as { errors: { field: string; message: string }[] };
    expect(Object.fromEntries(errors.map(({ field, message }) => [field, message]))).toEqual({
      "customer.country_code": "must be text",
      "customer.last_order_ts": "must be a valid date and time, for example 2022-03-01 00:00:00",
      "customer.first_order_ts": "is missing",
      "customer.total_orders": "must be a whole number, for example 15",
      "customer.segment_name": "must be frequent_segment or recency_segment",
    });
  });

  it("names every invalid field at once", async () => {
    const response = await fetch(`${url}/voucher/most-used?customer={}`);
    const { errors } = (await response.json()) as { errors: { field: string }[] };
    expect(errors.map(({ field }) => field)).toEqual(Object.keys(customer).map((key) => `customer.${key}`));
  });

  it.each([
    "",
    "?customer=",
    "?customer=%7B",
    "?customer=null",
    "?customer=1",
    "?customer=[]",
    "?customer=%22text%22",
    "?customer={}&customer={}",
    "?customer[a]=1",
    "?customer=%FF%FE",
    "?customer=%",
    "?customer=NaN",
    `?customer=${"[".repeat(5000)}`,
  ])("refuses the query %j with a problem that names customer", async (query) => {
    const response = await fetch(`${url}/voucher/most-used${query}`);
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as { errors: { field: string }[] };
    expect(errors[0]?.field).toMatch(/^customer/);
  });

  it("is not misled by values with a meaning in SQL or JavaScript", async () => {
    const hostile = ["'; DROP TABLE publications; --", "\u0000", "\ud800", "__proto__", "🙂".repeat(1000)];
    for (const country_code of hostile)
      expect(await ask(addressOf({ country_code }))).toBe('{"voucher_amount":null}');
    const polluting = encodeURIComponent(
      `{"__proto__":{"country_code":"Peru"},${JSON.stringify(customer).slice(1)}`,
    );
    expect(await ask(`/voucher/most-used?customer=${polluting}`)).toBe('{"voucher_amount":2640}');
    expect(await ask(addressOf())).toBe('{"voucher_amount":2640}');
  });

  it("answers every published cell like the table", async () => {
    const rows = (await readTable(settings, "SELECT * FROM voucher_frequent_most_used")) as Record<
      string,
      string | number
    >[];
    const orders: Record<string, number> = { "0-4": 4, "5-13": 13, "13-37": 37, "37+": 38 };
    expect(rows.length).toBeGreaterThan(3);
    for (const { country_code, frequent_segment, voucher_amount } of rows) {
      const total_orders = orders[String(frequent_segment)];
      expect(await ask(addressOf({ country_code, total_orders }))).toBe(JSON.stringify({ voucher_amount }));
    }
  });
});

describe("other addresses and methods", () => {
  it.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])(
    "refuse %s with 405 and the methods that are offered",
    async (method) => {
      for (const address of ["/", "/voucher/most-used"]) {
        const response = await fetch(url + address, { method });
        expect(response.status).toBe(405);
        expect(response.headers.get("allow")).toBe("GET, HEAD");
      }
    },
  );

  it.each(["/nothing", "/voucher", "/voucher/most-used/1", "/%", "/%00", "/..%2f..%2fetc/passwd"])(
    "answer %s with a problem of the client",
    async (address) => {
      const response = await fetch(url + address);
      expect([400, 404]).toContain(response.status);
      expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    },
  );

  it("survive bytes that are not HTTP", async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => socket.write("\x00\xff NOT HTTP\r\n\r\n"));
      socket.on("data", (data) => {
        resolve(data.toString());
      });
      socket.on("error", reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain("urn:voucher-pipeline:problem:invalid-request");
    expect((await fetch(url)).status).toBe(200);
  });
});

describe("the publication", () => {
  it("is the one of the latest execution date, whenever it was made", async () => {
    const { settings: own } = await runOver([voucher({ voucher_amount: "1" })], "2020-05-29");
    const { url: address, store } = await serve(own);
    const answer = async (): Promise<unknown> =>
      (await fetch(address + addressOf({ total_orders: 7 }))).json();
    await putVouchers(own.zones.raw, [voucher({ voucher_amount: "2" })]);
    await run(own, "2020-05-28");
    await store.refresh();
    expect(await answer()).toEqual({ voucher_amount: 1 });
    await run(own, "2020-05-30");
    await store.refresh();
    expect(await answer()).toEqual({ voucher_amount: 2 });
  });

  it("is read again when the database is replaced", async () => {
    const { settings: old } = await runOver([voucher({ voucher_amount: "1" })]);
    const { settings: other } = await runOver([voucher({ voucher_amount: "2" })]);
    const { url: address, store } = await serve(old);
    const answer = async (): Promise<unknown> =>
      (await fetch(address + addressOf({ total_orders: 7 }))).json();
    expect(await answer()).toEqual({ voucher_amount: 1 });
    const fileOf = ({ consumptionUrl }: Settings) => consumptionUrl.slice("sqlite:".length);
    await readTable(other, "PRAGMA wal_checkpoint(TRUNCATE)");
    await rename(fileOf(other), fileOf(old));
    await store.refresh();
    expect(await Promise.all([answer(), answer(), answer()])).toEqual([
      { voucher_amount: 2 },
      { voucher_amount: 2 },
      { voucher_amount: 2 },
    ]);
  });

  it("in an unreadable database is a temporary problem", async () => {
    const { settings: own } = await makeWorkspace();
    const { url: address } = await serve(own);
    await writeFile(own.consumptionUrl.slice("sqlite:".length), "this is no database ".repeat(500));
    const response = await fetch(address + addressOf());
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      type: "urn:voucher-pipeline:problem:database-unavailable",
    });
  });

  it("that does not exist yet is a temporary problem, with and without a database", async () => {
    const { settings: own } = await makeWorkspace();
    const { url: address } = await serve(own);
    const problem = async () => {
      const response = await fetch(address + addressOf());
      return { status: response.status, ...((await response.json()) as object) };
    };
    expect(await problem()).toMatchObject({
      status: 503,
      type: "urn:voucher-pipeline:problem:no-publication",
    });
    await putVouchers(own.zones.raw, [voucher({ total_orders: "15" })]);
    await run(own, "2020-05-29", ["curate"]);
    expect(await problem()).toMatchObject({
      status: 503,
      type: "urn:voucher-pipeline:problem:no-publication",
    });
    await run(own, "2020-05-29", ["aggregate", "publish"]);
    expect(await (await fetch(address + addressOf())).json()).toEqual({ voucher_amount: 2640 });
  });
});
