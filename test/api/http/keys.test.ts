import { createHash } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { dump } from "js-yaml";
import type { KeyedPart } from "../../../src/settings/settings.js";
import { pipeline } from "../../cli/warm-command.js";
import { until } from "../../until.js";
import { makeFolder, makeWorkspace } from "../../workspace.js";
import { startApi } from "../process.js";
import { NOW, serve, type ServedApi } from "../serving.js";

const CRM = "voucher_the-key-of-crm";
const SHOP = "voucher_the-key-of-shop";

const entry = (name: string, key: string, more: object = {}) => ({
  name,
  sha256: createHash("sha256").update(key).digest("hex"),
  ...more,
});

interface KeyedApi extends ServedApi {
  readonly file: string;
  readonly put: (...keys: object[]) => Promise<void>;
  /** The status of a request with a key. */
  readonly status: (key: string | undefined, address?: string) => Promise<number>;
}

async function serveWith(keys: object[], keysFor: KeyedPart = "v1", now = () => NOW): Promise<KeyedApi> {
  const file = path.join(await makeFolder(), "keys.yaml");
  await writeFile(file, dump({ keys }));
  const { settings } = await makeWorkspace();
  const api = await serve({ ...settings, api: { ...settings.api, keysFile: file, keysFor } }, now);
  return {
    ...api,
    file,
    put: async (...others) => {
      await writeFile(`${file}.new`, dump({ keys: others }));
      await rename(`${file}.new`, file);
    },
    status: async (key, address = "/v1/nothing") => (await ask(api, key, address)).status,
  };
}

function ask({ url }: ServedApi, key: string | undefined, address = "/v1/nothing"): Promise<Response> {
  return fetch(url + address, { headers: key === undefined ? {} : { Authorization: `Bearer ${key}` } });
}

describe("an api with keys", () => {
  it("tells a client without a key how to send one", async () => {
    const response = await ask(await serveWith([entry("crm", CRM)]), undefined);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await response.json()).toMatchObject({
      type: "urn:voucher-pipeline:problem:key-missing",
      detail: expect.stringContaining("Authorization: Bearer <key>"),
    });
  });

  it("accepts a request with a listed key", async () => {
    const { status } = await serveWith([entry("shop", SHOP), entry("crm", CRM)]);
    expect(await status(CRM)).toBe(404);
    expect(await status(SHOP)).toBe(404);
  });

  it.each(["voucher_another", entry("crm", CRM).sha256, "crm"])(
    "does not accept %j as a key",
    async (key) => {
      const { status } = await serveWith([entry("crm", CRM)]);
      expect(await status(key)).toBe(401);
    },
  );

  it.each(["/V1/nothing", "/v1", "/v1/", "/v1/vouchers/most-used?a=1"])(
    "requires a key for %s",
    async (address) => {
      const { status } = await serveWith([entry("crm", CRM)]);
      expect(await status(undefined, address)).toBe(401);
    },
  );

  it("leaves the original routes open, unless all routes require a key", async () => {
    const original = await serveWith([entry("crm", CRM)]);
    expect(await original.status(undefined, "/")).toBe(200);
    expect(await original.status(undefined, "/openapi.json")).toBe(200);
    const all = await serveWith([entry("crm", CRM)], "all");
    for (const address of ["/", "/voucher/most-used", "/openapi.json", "/metrics", "/docs/", "/nothing"])
      expect(await all.status(undefined, address)).toBe(401);
    expect(await all.status(CRM, "/")).toBe(200);
  });

  it("never requires a key for probes", async () => {
    const { status } = await serveWith([entry("crm", CRM)], "all");
    expect(await status(undefined, "/livez")).toBe(200);
    expect(await status(undefined, "/readyz")).toBe(503);
  });

  it("rejects an expired key", async () => {
    let now = new Date("2026-12-31T23:59:59Z");
    const key = entry("crm", CRM, { expires: "2027-01-01" });
    const { status } = await serveWith([key], "v1", () => now);
    expect(await status(CRM)).toBe(404);
    now = new Date("2027-01-01T00:00:00Z");
    expect(await status(CRM)).toBe(401);
  });

  it("has the name of the key in its log, but no key", async () => {
    const api = await serveWith([entry("crm", CRM)]);
    await api.status(CRM);
    await api.status("voucher_unknown");
    await until(() => api.log().length === 2);
    expect(api.log().map(({ key }) => key)).toEqual(["crm", undefined]);
    expect(JSON.stringify(api.log())).not.toContain("voucher_");
  });

  it("names in the OpenAPI document the operations that require a key", async () => {
    const { url } = await serveWith([entry("crm", CRM)]);
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
      components: { securitySchemes: unknown };
      paths: Record<string, { get: { security?: unknown; responses: object } }>;
    };
    expect(document.components.securitySchemes).toEqual({ key: { type: "http", scheme: "bearer" } });
    const keyed = document.paths["/v1/publications"]?.get;
    expect(keyed?.security).toEqual([{ key: [] }]);
    expect(Object.keys(keyed?.responses ?? {})).toEqual(expect.arrayContaining(["401", "429"]));
    const open = document.paths["/voucher/most-used"]?.get;
    expect(open).not.toHaveProperty("security");
    expect(open?.responses).not.toHaveProperty("401");
  });

  it("tells a browser without a key what it may send", async () => {
    const { settings } = await makeWorkspace();
    const { file } = await serveWith([entry("crm", CRM)]);
    const api = { ...settings.api, corsOrigins: "*" as const, keysFile: file };
    const { url } = await serve({ ...settings, api });
    const headers = { Origin: "https://a.org", "Access-Control-Request-Method": "GET" };
    expect((await fetch(`${url}/v1/publications`, { method: "OPTIONS", headers })).status).toBe(204);
  });
});

describe("an api without a file of keys", () => {
  it("requires no key, and the OpenAPI document names none", async () => {
    const { url } = await serve((await makeWorkspace()).settings);
    expect((await fetch(`${url}/v1/nothing`)).status).toBe(404);
    expect(await (await fetch(`${url}/openapi.json`)).text()).not.toContain("securitySchemes");
  });
});

describe("a change of the file of keys counts without a restart", () => {
  it("if a key is added, and if one is removed", async () => {
    const { status, put } = await serveWith([entry("crm", CRM)]);
    expect(await status(SHOP)).toBe(401);
    await put(entry("crm", CRM), entry("shop", SHOP));
    await until(async () => (await status(SHOP)) === 404);
    expect(await status(CRM)).toBe(404);
    await put(entry("shop", SHOP));
    await until(async () => (await status(CRM)) === 401);
    expect(await status(SHOP)).toBe(404);
  });

  it("but not if it is broken, incomplete or gone: that is one warning, and the keys stay", async () => {
    const damages: Record<string, (file: string) => Promise<void>> = {
      broken: (file) => writeFile(file, "keys: [{ name: "),
      "half written": (file) => writeFile(file, ""),
      gone: (file) => rm(file),
    };
    // Side by side, as each waits until the api has looked again and again.
    const seen = Object.entries(damages).map(async ([fault, damage]) => {
      const { status, put, file, log } = await serveWith([entry("crm", CRM)]);
      const warnings = () => log().filter(({ level }) => level === 40);
      await damage(file);
      await until(() => warnings().length > 0);
      await sleep(2_200);
      const told = warnings().map(({ msg }) => msg);
      const crm = await status(CRM);
      await put(entry("shop", SHOP));
      await until(async () => (await status(SHOP)) === 404);
      return { fault, told, crm };
    });
    const warning = expect.stringMatching(/API_KEYS_FILE[^]*; the keys that were read last stay valid$/);
    expect(await Promise.all(seen)).toEqual(
      Object.keys(damages).map((fault) => ({ fault, told: [warning], crm: 404 })),
    );
  });
});

describe("an invalid file of keys at the start", () => {
  const faultOf = async (text: string | undefined) => {
    const { environment, folder } = await makeWorkspace();
    const file = path.join(folder, "keys.yaml");
    if (text !== undefined) await writeFile(file, text);
    const api = startApi({ ...environment, API_KEYS_FILE: file });
    expect(await api.ended).toBe(2);
    return api.log();
  };

  it("ends the api with 2, and the message lists every fault", async () => {
    const wrong = "keys:\n  - { name: a b, sha256: abc, requests_per_minute: 0, expires: soon, more: 1 }\n";
    const log = await faultOf(wrong);
    expect(log).toContain("INVALID_SETTINGS: the file of keys");
    for (const field of ["name", "sha256", "requests_per_minute", "expires"])
      expect(log).toContain(`keys.0.${field} must be`);
  });

  it("ends the api with 2 if it does not exist", async () => {
    expect(await faultOf(undefined)).toContain(": ENOENT");
  });

  it("ends the api with 2 if two keys have the same name", async () => {
    const twice = [entry("crm", CRM), entry("crm", SHOP)];
    expect(await faultOf(dump({ keys: twice }))).toContain("keys must have different names");
  });
});

describe("the limit of a key", () => {
  it("is its own: a key over its limit does not delay another one", async () => {
    const api = await serveWith([
      entry("crm", CRM, { requests_per_minute: 2 }),
      entry("shop", SHOP, { requests_per_minute: 4 }),
    ]);
    const statuses = async (key: string) => {
      const seen: number[] = [];
      for (let request = 0; request < 5; request += 1) seen.push(await api.status(key));
      return seen;
    };
    expect(await statuses(CRM)).toEqual([404, 404, 429, 429, 429]);
    expect(await statuses(SHOP)).toEqual([404, 404, 404, 404, 429]);
  });

  it("is a problem that names the time of the next try", async () => {
    const api = await serveWith([entry("crm", CRM, { requests_per_minute: 1 })]);
    await api.status(CRM);
    const response = await ask(api, CRM);
    const seconds = Number(response.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(await response.json()).toMatchObject({
      type: "urn:voucher-pipeline:problem:too-many-requests",
      status: 429,
      detail: `This key may send 1 requests a minute. Try again in ${seconds.toString()} seconds.`,
    });
  });

  it("is in the headers of every response", async () => {
    const response = await ask(await serveWith([entry("crm", CRM, { requests_per_minute: 600 })]), CRM);
    expect(response.headers.get("ratelimit-policy")).toMatch(/^"600-in-1min"; q=600; w=60/);
    expect(response.headers.get("ratelimit")).toMatch(/^"600-in-1min"; r=599; t=\d+/);
  });

  it("does not exist if the file has none", async () => {
    const api = await serveWith([entry("crm", CRM)]);
    for (let request = 0; request < 50; request += 1) expect(await api.status(CRM)).toBe(404);
    expect((await ask(api, CRM)).headers.get("ratelimit")).toBeNull();
  });

  it("does not count requests without a key", async () => {
    const api = await serveWith([entry("crm", CRM, { requests_per_minute: 1 })]);
    for (let request = 0; request < 5; request += 1) expect(await api.status(undefined)).toBe(401);
    expect(await api.status(CRM)).toBe(404);
  });
});

describe("pipeline api-key", () => {
  it("makes a key, and an entry that the api accepts", async () => {
    const { code, stdout } = await pipeline(["api-key", "crm-2027"]);
    expect(code).toBe(0);
    const [, key = ""] = /^ {2}(voucher_[\w-]{43})$/m.exec(stdout) ?? [];
    const lines = stdout.slice(stdout.indexOf("  - name"));
    const file = path.join(await makeFolder(), "keys.yaml");
    await writeFile(file, `keys:\n${lines}`);
    const { settings } = await makeWorkspace();
    const api = await serve({ ...settings, api: { ...settings.api, keysFile: file } });
    expect((await ask(api, key)).status).toBe(404);
    expect(lines).not.toContain(key);
  });

  it("makes another key each time", async () => {
    const [one, other] = await Promise.all([pipeline(["api-key", "a"]), pipeline(["api-key", "a"])]);
    expect(one.stdout).not.toBe(other.stdout);
  });

  it("refuses a name that the file could not have", async () => {
    const { code, stderr } = await pipeline(["api-key", "two words"]);
    expect(code).toBe(2);
    expect(stderr).toContain('INVALID_USAGE: the name "two words" is not valid');
  });
});
