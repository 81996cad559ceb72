import { createHash } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { dump } from "js-yaml";
import type { Settings } from "../../../src/settings/settings.js";
import { readTable } from "../../consumption/reading.js";
import { voucher } from "../../raw-vouchers.js";
import { runOver } from "../../run/running.js";
import { until } from "../../until.js";
import { makeFolder, makeWorkspace } from "../../workspace.js";
import { serve, type ServedApi } from "../serving.js";
import { connectTo } from "../sockets.js";

let settings: Settings;
let api: ServedApi;
let runId: string;

beforeAll(async () => {
  const workspace = await runOver([voucher({ total_orders: "15" })]);
  ({ settings } = workspace);
  api = await serve(settings);
  await api.store.refresh();
  runId = api.store.status.publication?.runId ?? "";
});

const metricsOf = async ({ url }: ServedApi) => (await fetch(`${url}/metrics`)).text();

/** The line of the log about a request. */
async function lineOf({ log }: ServedApi, request: string): Promise<Record<string, unknown>> {
  const line = () => log().find((entry) => entry["request"] === request);
  await until(() => line() !== undefined);
  return line() ?? {};
}

describe("the metrics", () => {
  it("count requests by method, declared route and status", async () => {
    const own = await serve(settings);
    for (const address of ["/v1/tables/one?limit=1", "/v1/tables/two", "/secret-1", "/secret-2", "/"])
      await (await fetch(own.url + address)).text();
    await (await fetch(own.url, { method: "POST" })).text();
    const text = await metricsOf(own);
    expect(text).toContain('http_requests_total{method="GET",route="/v1/tables/{table}",status="404"} 2');
    expect(text).toContain('http_requests_total{method="GET",route="unknown",status="404"} 2');
    expect(text).toContain('http_requests_total{method="GET",route="/",status="200"} 1');
    expect(text).toContain('http_requests_total{method="POST",route="/",status="405"} 1');
    expect(text).not.toContain("secret");
  });

  it("name the route of requests without one: for files, and rejected ones", async () => {
    const file = path.join(await makeFolder(), "keys.yaml");
    const sha256 = createHash("sha256").update("voucher_key").digest("hex");
    await writeFile(file, dump({ keys: [{ name: "crm", sha256, requests_per_minute: 1 }] }));
    const own = await serve({ ...settings, api: { ...settings.api, keysFile: file } });
    const ask = async (address: string, headers = {}) => (await fetch(own.url + address, { headers })).text();
    const key = { Authorization: "Bearer voucher_key" };
    for (const headers of [{}, key, key]) await ask("/v1/tables/one", headers);
    await ask("/v1/secret");
    for (const address of [
      "/assets/style.css",
      "/assets/secret",
      "/docs/start.js",
      "/docs/data/secret",
      "/health/runs/a",
    ])
      await ask(address);
    const text = await metricsOf(own);
    const counts = (route: string, status: number, count: number) => {
      expect(text).toContain(
        `http_requests_total{method="GET",route="${route}",status="${status.toString()}"} ${count.toString()}`,
      );
    };
    counts("/v1/tables/{table}", 401, 1);
    counts("/v1/tables/{table}", 404, 1);
    counts("/v1/tables/{table}", 429, 1);
    counts("unknown", 401, 1);
    counts("/assets/{file}", 200, 1);
    counts("/assets/{file}", 404, 1);
    counts("/docs/{file}", 200, 1);
    counts("/docs/data/{file}", 401, 1);
    counts("/health/runs/{run_id}", 401, 1);
    expect(text).not.toContain("secret");
  });

  it("have a histogram of the duration of requests, by route", async () => {
    await (await fetch(api.url)).text();
    const text = await metricsOf(api);
    expect(text).toMatch(/^http_request_duration_seconds_bucket\{le="0\.001",route="\/"\} \d+$/m);
    expect(text).toMatch(/^http_request_duration_seconds_count\{route="\/"\} [1-9]\d*$/m);
  });

  it("name the served publication and the age of its data, and that the service is ready", async () => {
    const text = await metricsOf(api);
    expect(text).toContain(
      `voucher_publication_info{execution_date="2020-05-29T00:00:00Z",run_id="${runId}",sql_version="v1"} 1`,
    );
    expect(text).toContain(`voucher_data_age_seconds ${String(12 * 3_600)}`);
    expect(text).toMatch(/^voucher_publication_confirmed_seconds \d/m);
    expect(text).toContain("voucher_ready 1");
    expect(text).toContain("voucher_refresh_failures_total 0");
  });

  it("include those of the process", async () => {
    expect(await metricsOf(api)).toMatch(/^process_resident_memory_bytes \d+/m);
  });

  it("have the format of Prometheus", async () => {
    const response = await fetch(`${api.url}/metrics?debug=1`);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("stay available while the database is away, and count its failures", async () => {
    const { settings: own } = await runOver([voucher()]);
    let now = new Date();
    const { url, store } = await serve(own, () => now);
    await store.refresh();
    const file = own.consumptionUrl.slice("sqlite:".length);
    // What the file has not taken in yet would still be read.
    await readTable(own, "PRAGMA wal_checkpoint(TRUNCATE)");
    await rename(file, `${file}.away`);
    await writeFile(file, "this is no database ".repeat(500));
    await store.refresh().catch(() => undefined);
    now = new Date(Date.now() + 301_000);
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toMatch(/^voucher_publication_confirmed_seconds 30[0-9]/m);
    expect(text).toContain("voucher_refresh_failures_total 1");
    expect(text).toContain("voucher_ready 0");
    expect(text).toContain("voucher_publication_info{");
  });

  it("have no publication if there is none", async () => {
    const { settings: own } = await makeWorkspace();
    const text = await metricsOf(await serve(own));
    expect(text).toContain("voucher_ready 0");
    expect(text).not.toMatch(/^voucher_(publication_info|data_age_seconds|publication_confirmed_seconds)/m);
  });

  it("count a client that leaves before its response", async () => {
    const { socket } = await connectTo(api.port);
    const body = "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    socket.write(`POST /v1/vouchers/most-used HTTP/1.1\r\nHost: a\r\n${body}`);
    await until(() => api.underWay.count === 1);
    socket.destroy();
    await until(async () =>
      (await metricsOf(api)).includes(
        'http_requests_total{method="POST",route="/v1/vouchers/most-used",status="aborted"} 1',
      ),
    );
  });
});

describe("the line of a request in the log", () => {
  it("has the facts of the request, by route, without the query", async () => {
    const headers = { "X-Request-Id": "logged" };
    await (await fetch(`${api.url}/voucher/most-used?customer=a-secret`, { headers })).text();
    const line = await lineOf(api, "logged");
    expect(line).toMatchObject({
      level: 30,
      request: "logged",
      method: "GET",
      path: "/voucher/most-used",
      route: "/voucher/most-used",
      status: 400,
      msg: "answered",
    });
    expect(line["milliseconds"]).toEqual(expect.any(Number));
    expect(line["bytes"]).toBeGreaterThan(0);
    expect(JSON.stringify(api.log())).not.toContain("a-secret");
  });

  it("is one for each request", async () => {
    const own = await serve(settings);
    for (let request = 0; request < 5; request += 1) await (await fetch(own.url)).text();
    await until(() => own.log().length >= 5);
    expect(own.log()).toHaveLength(5);
  });

  it("is in the log next to other lines of the same request", async () => {
    const { settings: own } = await makeWorkspace();
    const away = await serve({ ...own, consumptionUrl: "mysql://nobody@127.0.0.1:1/none" });
    const headers = { "X-Request-Id": "told-twice" };
    await (await fetch(`${away.url}/v1/publications`, { headers })).text();
    await until(() => away.log().filter(({ request }) => request === "told-twice").length === 2);
    expect(away.log().map(({ level }) => level)).toContain(40);
  });
});

describe("the id of a request", () => {
  const askedAs = async (id: string) =>
    (await fetch(api.url, { headers: { "X-Request-Id": id } })).headers.get("x-request-id");

  it("is the one from its header", async () => {
    expect(await askedAs("Trace_1.a-b")).toBe("Trace_1.a-b");
  });

  it("is a new one if it has none", async () => {
    const names = await Promise.all([fetch(api.url), fetch(`${api.url}/nothing`)]);
    const [one, other] = names.map(({ headers }) => headers.get("x-request-id"));
    expect(one).toMatch(/^[0-9a-f-]{36}$/);
    expect(other).toMatch(/^[0-9a-f-]{36}$/);
    expect(one).not.toBe(other);
  });

  it.each(["a b", '"},"level":60,"x":{"', "a".repeat(65), "%0d%0aSet-Cookie", "<script>", "ü"])(
    "is a new one if its header is %j",
    async (hostile) => {
      expect(await askedAs(hostile)).toMatch(/^[0-9a-f-]{36}$/);
      expect(JSON.stringify(api.log())).not.toContain(hostile);
    },
  );
});
