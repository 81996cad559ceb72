import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { hashOfApiKey } from "../../../src/settings/api-key-hash.js";
import { times, voucher } from "../../raw-vouchers.js";
import { runOver } from "../../run/running.js";
import { makeFolder } from "../../workspace.js";
import { serve, type ServedApi } from "../serving.js";

/** As Chromium asks for a page. */
const BROWSER = {
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
};
const HOSTILE = `<script>alert("1")</script>&'`;

let api: ServedApi;

beforeAll(async () => {
  const { settings } = await runOver([...times(3, voucher()), voucher({ country_code: HOSTILE })]);
  api = await serve(settings);
});

async function page(address: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  const response = await fetch(api.url + address, { headers: { ...BROWSER, ...headers } });
  return [response.status, await response.text()];
}

describe("GET /", () => {
  it("is a page to a browser", async () => {
    const response = await fetch(api.url, { headers: BROWSER });
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await response.text()).toMatch(/^<!doctype html><html lang="en">/);
  });

  it.each<[string, Record<string, string>]>([
    ["a client that takes everything", {}],
    ["one that asks for JSON", { Accept: "application/json" }],
    ["one that takes JSON as gladly as HTML", { Accept: "application/json, text/html" }],
    ["one that takes neither", { Accept: "image/png" }],
  ])("is the answer of the original service to %s", async (_who, headers) => {
    const response = await fetch(api.url, { headers });
    expect(await response.text()).toBe('{"Hello":"World!!"}');
  });

  it("shows caches that it depends on Accept", async () => {
    for (const headers of [BROWSER, { Accept: "application/json" }])
      expect((await fetch(api.url, { headers })).headers.get("vary")).toMatch(/\bAccept\b/);
  });

  it.each(["POST", "OPTIONS"])("takes no %s, from a browser either", async (method) => {
    const response = await fetch(api.url, { method, headers: BROWSER });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});

describe("every page", () => {
  const ADDRESSES = ["/", "/changes", "/customer", "/campaign", "/health"];

  it.each(ADDRESSES)("%s allows its own files only", async (address) => {
    const { headers } = await fetch(api.url + address, { headers: BROWSER });
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).not.toMatch(/unsafe|\*|http/);
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it.each(ADDRESSES)("%s has no inline script and no inline style", async (address) => {
    const [, html] = await page(address);
    expect(html).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src=)/);
  });

  it.each(ADDRESSES.slice(1).filter((address) => address !== "/campaign"))(
    "%s takes no POST",
    async (address) => {
      const response = await fetch(api.url + address, { method: "POST", headers: BROWSER });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    },
  );

  it.each(ADDRESSES)("%s answers HEAD", async (address) => {
    const response = await fetch(api.url + address, { method: "HEAD", headers: BROWSER });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  it("has files whose addresses change with their content, so that browsers may cache them", async () => {
    const [, html] = await page("/");
    const files = [...html.matchAll(/(?:href|src)="(\/assets\/[^"]+\?v=[^"]+)"/g)].map(
      ([, file]) => file ?? "",
    );
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const file of files) {
      const response = await fetch(api.url + file);
      expect([response.status, response.headers.get("cache-control")]).toEqual([
        200,
        "public, max-age=31536000, immutable",
      ]);
    }
  });

  it("shows names unchanged, whatever they are", async () => {
    const [, html] = await page("/");
    expect(html).toContain("&lt;script>alert(&quot;1&quot;)&lt;/script>&amp;'");
    expect(html).not.toContain("<script>alert");
    const query = new URLSearchParams({
      country_code: HOSTILE,
      segment_name: "frequent_segment",
      segment: "5-13",
    });
    const [status, answer] = await page(`/answer?${query.toString()}`);
    expect(status).toBe(200);
    expect(answer).not.toContain("<script>alert");
  });
});

describe("the answers", () => {
  it("of very many countries have pages", async () => {
    const countries = Array.from({ length: 120 }, (_, index) => `Land ${index.toString().padStart(3, "0")}`);
    const { settings } = await runOver(countries.map((country_code) => voucher({ country_code })));
    const { url } = await serve(settings);
    const shown = async (query: string) => {
      const html = await (await fetch(`${url}/${query}`, { headers: BROWSER })).text();
      return [...new Set([...html.matchAll(/<bdi>(Land \d+)<\/bdi>/g)].map(([, country]) => country))];
    };
    expect(await shown("")).toEqual(countries.slice(0, 50));
    expect(await shown("?page=3")).toEqual(countries.slice(100));
    expect(await shown("?page=999")).toEqual(countries.slice(100));
  });

  it("are separate if the names of countries differ only by case and accent", async () => {
    const { settings } = await runOver([
      voucher({ country_code: "Peru", voucher_amount: "1" }),
      voucher({ country_code: "PERU", voucher_amount: "22" }),
      voucher({ country_code: "Perú", voucher_amount: "333" }),
    ]);
    const { url } = await serve(settings);
    const query = new URLSearchParams({
      country_code: "PERU",
      segment_name: "frequent_segment",
      segment: "5-13",
    });
    const html = await (await fetch(`${url}/answer?${query.toString()}`, { headers: BROWSER })).text();
    expect(html).toContain("<h1>PERU, 5-13 orders: 22</h1>");
    expect(html).not.toContain("333");
  });
});

describe("the form for a customer", () => {
  it("shows a curl for its own host", async () => {
    const query = "/customer?country_code=Peru&segment_name=frequent_segment&total_orders=15";
    const [, html] = await page(query);
    expect(html).toContain(`curl '${api.url}/v1/vouchers/most-used?`);
    expect(html).not.toContain("Authorization");
  });
});

describe("an api that requires keys", () => {
  const KEY = "voucher_of-a-person";

  async function serveWithKeys(keysFor: "v1" | "all"): Promise<string> {
    const { settings } = await runOver(times(2, voucher()));
    const keysFile = path.join(await makeFolder(), "keys.yaml");
    const sha256 = hashOfApiKey(KEY).toString("hex");
    await writeFile(keysFile, `keys:\n  - { name: marketing, sha256: "${sha256}" }\n`);
    const { url } = await serve({ ...settings, api: { ...settings.api, keysFile, keysFor } });
    return url;
  }

  function basic(password: string): Record<string, string> {
    return { Authorization: `Basic ${Buffer.from(`me:${password}`).toString("base64")}` };
  }

  it.each(["v1", "all"] as const)(
    "asks a browser for one, for %s, and shows nothing before",
    async (part) => {
      const url = await serveWithKeys(part);
      const reports = ["/health/runs/2020-05-29T000000-recorded", "/HEALTH/runs/none/"];
      const addresses = [
        "/",
        "/answer",
        "/changes",
        "/CHANGES/",
        "/customer",
        "/campaign",
        "/health",
        ...reports,
      ];
      for (const address of addresses) {
        const response = await fetch(url + address, { headers: BROWSER });
        expect([address, response.status]).toEqual([address, 401]);
        expect(response.headers.get("www-authenticate")).toMatch(/^Basic realm=/);
        expect(await response.text()).not.toMatch(/Peru|2020-05-29/);
      }
    },
  );

  it.each(["v1", "all"] as const)("accepts the key as the password, for %s", async (part) => {
    const url = await serveWithKeys(part);
    for (const address of ["/", "/customer", "/v1/publications"]) {
      expect((await fetch(url + address, { headers: { ...BROWSER, ...basic(KEY) } })).status).toBe(200);
      expect((await fetch(url + address, { headers: { ...BROWSER, ...basic("another") } })).status).toBe(401);
    }
  });

  it("gives programs the answer of the original service without one, if only /v1 requires it", async () => {
    const url = await serveWithKeys("v1");
    expect(await (await fetch(url)).text()).toBe('{"Hello":"World!!"}');
  });

  it("shows in the curl where to put the key", async () => {
    const url = await serveWithKeys("v1");
    const query = "/customer?country_code=Peru&segment_name=frequent_segment&total_orders=15";
    const html = await (await fetch(url + query, { headers: { ...BROWSER, ...basic(KEY) } })).text();
    expect(html).toContain("--header &quot;Authorization: Bearer $VOUCHER_KEY&quot;");
  });
});
