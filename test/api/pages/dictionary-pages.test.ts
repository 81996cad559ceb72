import { cp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { siteOf } from "../../../src/dictionary/site.js";
import { loadSqlVersion } from "../../../src/models/load.js";
import { hashOfApiKey } from "../../../src/settings/api-key-hash.js";
import { readTable } from "../../consumption/reading.js";
import { voucher } from "../../raw-vouchers.js";
import { run, runOver } from "../../run/running.js";
import { makeFolder, makeWorkspace, SHIPPED_SQL } from "../../workspace.js";
import { serve, type ServedApi } from "../serving.js";

const KEY = "voucher_of-a-person";

const version = await loadSqlVersion(SHIPPED_SQL, "v1");

let api: ServedApi;

beforeAll(async () => {
  api = await serve((await runOver([voucher()])).settings);
});

describe("GET /docs/data", () => {
  it("is the data dictionary of pipeline docs", async () => {
    for (const [file, html] of siteOf(version)) {
      const response = await fetch(`${api.url}/docs/data/${file}`);
      expect([response.status, await response.text()]).toEqual([200, html]);
    }
    expect(await (await fetch(`${api.url}/docs/data`)).text()).toBe(siteOf(version).get("index.html"));
  });

  it("is in a folder, so that its links work", async () => {
    const response = await fetch(`${api.url}/docs/data`, { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([308, "data/"]);
  });

  it("allows its own files only", async () => {
    const { headers } = await fetch(`${api.url}/docs/data/`);
    expect(headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'; /,
    );
    expect(headers.get("content-security-policy")).not.toContain("unsafe");
    for (const [file, type] of [
      ["style.css", "text/css"],
      ["icon.svg", "image/svg+xml"],
    ] as const)
      expect((await fetch(`${api.url}/docs/data/${file}`)).headers.get("content-type")).toContain(type);
  });

  it.each(["nothing.html", "..%2f..%2fpackage.json", "curated.vouchers"])("has no %s", async (file) => {
    expect((await fetch(`${api.url}/docs/data/${file}`)).status).toBe(404);
  });

  it("takes no POST", async () => {
    const response = await fetch(`${api.url}/docs/data/`, { method: "POST" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("leaves the documentation of the HTTP api at its address", async () => {
    expect(await (await fetch(`${api.url}/docs/`)).text()).toContain("swagger");
  });

  it("has a link on every page", async () => {
    const response = await fetch(api.url, { headers: { Accept: "text/html" } });
    expect(await response.text()).toContain('<a href="/docs/data/">the data dictionary</a>');
  });

  it("shows the SQL of the newest publication, and a new model appears with its first publication", async () => {
    const { settings } = await runOver([voucher()]);
    const served = await serve(settings);
    const sqlDirectory = path.join(await makeFolder(), "sql");
    await cp(SHIPPED_SQL, sqlDirectory, { recursive: true });
    await writeFile(
      path.join(sqlDirectory, "v1/provision/added.sql"),
      `/*
description: Vouchers in all.
columns:
  vouchers:       { type: BIGINT, description: How many }
  execution_date: { type: VARCHAR, description: The partition }
*/
SELECT count(*) AS vouchers, {{ partition_key }} AS execution_date FROM {{ "curated.vouchers" | ref }}
ORDER BY ALL
`,
    );
    const added = `${served.url}/docs/data/provision.added.html`;
    expect((await fetch(added)).status).toBe(404);
    await run({ ...settings, sqlDirectory }, "2020-05-30");
    await rm(sqlDirectory, { recursive: true });
    await served.store.refresh();
    expect(await (await fetch(added)).text()).toContain("Vouchers in all.");
  });

  it("reports if nothing is published, and if the SQL is not in the database", async () => {
    const nothing = await serve((await makeWorkspace()).settings);
    expect(await (await fetch(`${nothing.url}/docs/data/`)).text()).toContain("Nothing is published yet");
    const { settings } = await runOver([voucher()]);
    await readTable(settings, "DELETE FROM sql_versions");
    const served = await serve(settings);
    const response = await fetch(`${served.url}/docs/data/`);
    expect([response.status, await response.text()]).toEqual([
      404,
      expect.stringContaining("does not have the SQL"),
    ]);
  });

  it.each(["v1", "all"] as const)("requires a key if %s does, like the pages", async (keysFor) => {
    const { settings } = await runOver([voucher()]);
    const keysFile = path.join(await makeFolder(), "keys.yaml");
    await writeFile(keysFile, `keys:\n  - name: person\n    sha256: ${hashOfApiKey(KEY).toString("hex")}\n`);
    const { url } = await serve({ ...settings, api: { ...settings.api, keysFile, keysFor } });
    for (const file of ["", "curated.vouchers.html", "style.css"]) {
      expect((await fetch(`${url}/docs/data/${file}`)).status).toBe(401);
      const headers = { Authorization: `Bearer ${KEY}` };
      expect((await fetch(`${url}/docs/data/${file}`, { headers })).status).toBe(200);
    }
  });
});
