import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { dictionaryDataOf, dictionaryOf } from "../../src/dictionary/dictionary.js";
import { ASSETS, siteOf, siteOfTexts, type WrittenSite } from "../../src/dictionary/site.js";
import { parseSqlVersion } from "../../src/models/load.js";
import { referencesOf } from "../../src/models/order.js";
import { traceForDictionary } from "../../src/run/column-lineage.js";
import { pipeline } from "../cli/warm-command.js";
import { plan, version } from "../sql/session.js";
import { makeFolder, PROJECT } from "../workspace.js";

const site = siteOf(version);
const lineage = await traceForDictionary(version);
const ENVIRONMENT = { SQL_DIRECTORY: path.join(PROJECT, "sql") };

/** The page of a model. */
function pageOf(name: string): string {
  return site.get(`${name}.html`) ?? "";
}

/** The version with a further file. */
function withFile(file: string, text: string): Map<string, string> {
  return new Map([...version.texts, [file, text] as const].sort());
}

const HOSTILE = `/*
description: "What <script>alert(1)</script> & others mean."
audits:
  - is_small: { description: No more than "ten" & one., select: 'SELECT * FROM {{ model.name | ref }} WHERE vouchers > 10' }
columns:
  vouchers:       { type: BIGINT, description: "Vouchers <b>here</b>" }
  execution_date: { type: VARCHAR, description: The partition }
*/
SELECT count(*) AS vouchers, {{ partition_key }} AS execution_date
FROM {{ "curated.vouchers" | ref }} WHERE 1 < 2
ORDER BY ALL
`;

describe("the data dictionary", () => {
  it("has a page for every model, and a start page with links to each", () => {
    const names = version.models.map(({ name }) => `${name}.html`);
    expect([...site.keys()]).toEqual(["index.html", ...names]);
    for (const name of names) expect(site.get("index.html")).toContain(`<dt><a href="${name}">`);
  });

  it("has links only to existing pages and files, and loads nothing from other servers", () => {
    const files = new Set([...site.keys(), ...ASSETS]);
    for (const html of site.values()) {
      const targets = [...html.matchAll(/ (?:href|src)="([^"]*)"/g)].map(([, target]) => target);
      expect(targets).toEqual(expect.arrayContaining(["index.html", ...ASSETS]));
      expect(targets.filter((target = "") => !files.has(target))).toEqual([]);
      expect(html).not.toMatch(/<script|<style|\sstyle=|https?:/);
    }
  });

  it("shows the whole header of a model, and its SQL", () => {
    const html = pageOf("provision.voucher_amount_usage");
    const model = version.models.find(({ name }) => name === "provision.voucher_amount_usage");
    expect(html).toContain(
      "Number of assignments of each voucher amount in each country and segment, ranked.",
    );
    for (const [name, { type }] of Object.entries(model?.header.columns ?? {}))
      expect(html).toContain(`<code>${name}</code></th><td>${type}</td>`);
    expect(html).toContain("<dt>Key</dt><dd><code>country_code</code>, <code>segment_kind</code>");
    for (const audit of ["columns_are_declared", "unique_key", "texts_fit", "usage_counts_every_voucher"])
      expect(html).toContain(`<dt>${audit}</dt><dd>`);
    expect(html).toContain("WITH counted AS (\n  SELECT\n    country_code,");
    expect(html).not.toContain("publish: true");
  });

  it("shows the sources and readers of each model as in runs", () => {
    for (const { model, rendered } of plan.steps)
      expect(referencesOf(model).sort()).toEqual([...rendered.references].sort());
    expect(pageOf("curated.vouchers")).toMatch(
      /<dt>Reads<\/dt><dd><a href="raw\.vouchers\.html">raw\.vouchers<\/a><\/dd>.*<dt>Feeds<\/dt><dd><a href="measures\.voucher_counts\.html">/,
    );
  });

  it("draws a model with all its sources and readers, and nothing else", () => {
    const drawn = [
      ...pageOf("provision.voucher_country_most_used").matchAll(/<a href="([^"]+)\.html" class=/g),
    ];
    expect(drawn.map(([, name]) => name).sort()).toEqual([
      "curated.vouchers",
      "provision.voucher_amount_usage",
      "provision.voucher_country_most_used",
      "raw.vouchers",
    ]);
  });

  it("draws a model in the middle with both sides, and marks only that one", () => {
    const html = pageOf("provision.voucher_amount_usage");
    const drawn = [...html.matchAll(/<a href="([^"]+)\.html" class=/g)].map(([, name]) => name);
    expect(drawn).toEqual(expect.arrayContaining(["raw.vouchers", "provision.voucher_frequent_most_used"]));
    expect(html.match(/aria-current="page"/g)).toHaveLength(1);
    expect(html).toMatch(
      /href="provision\.voucher_amount_usage\.html" class="provision marked" aria-current="page"/,
    );
  });

  it("marks published tables and columns and audits that warn, and shows the maximum length of texts", () => {
    const marked = [
      ...(site.get("index.html") ?? "").matchAll(/html">(\w+)<\/a><span class="mark">published/g),
    ];
    const published = version.models.filter((model) => "publish" in model.header && model.header.publish);
    expect(published).not.toEqual([]);
    expect(marked.map(([, table]) => table)).toEqual(published.map(({ table }) => table));
    const row = (name: string, column: string) =>
      new RegExp(`<code>${column}</code></th>(.*?)</tr>`).exec(pageOf(name))?.[1] ?? "";
    expect(row("provision.voucher_frequent_most_used", "assignments")).toContain(">not published<");
    expect(row("provision.voucher_frequent_most_used", "voucher_amount")).not.toContain("not published");
    expect(row("provision.voucher_frequent_most_used", "country_code")).toContain(" (up to 64 characters)");
    expect(row("provision.voucher_frequent_most_used", "voucher_amount")).not.toContain("characters");
    const warning = '<span class="mark">a warning</span>';
    expect(pageOf("curated.vouchers")).toContain(`last_order_precedes_voucher${warning}`);
    expect(pageOf("curated.vouchers")).toContain("<dt>segments_are_known</dt>");
  });

  it("has a model from a new file, with its own audit and with unchanged texts", () => {
    const added = siteOfTexts("v1", withFile("v1/curated/added.sql", HOSTILE));
    const html = added.get("curated.added.html") ?? "";
    expect(html).toContain("What &lt;script>alert(1)&lt;/script> &amp; others mean.");
    expect(html).toContain("Vouchers &lt;b>here&lt;/b>");
    expect(html).toContain("<dt>is_small</dt><dd>No more than &quot;ten&quot; &amp; one.</dd>");
    expect(html).toContain("WHERE 1 &lt; 2");
    expect(added.get("index.html")).toContain('<a href="curated.added.html">');
    expect(added.get("curated.vouchers.html")).toContain('<a href="curated.added.html">');
  });

  it("is the same from the stored texts and from the folder", () => {
    expect(siteOfTexts("v1", version.texts)).toEqual(site);
    expect(parseSqlVersion("v1", version.texts)).toEqual(version);
  });

  it("refuses models that read each other in a circle", () => {
    const circle = HOSTILE.replace("curated.vouchers", "curated.added");
    expect(() => siteOfTexts("v1", withFile("v1/curated/added.sql", circle))).toThrow("in a circle");
  });
});

describe("the sources of a column", () => {
  it.each([
    ["raw.vouchers", "timestamp", [{ model: null, column: "timestamp" }], "the files' `timestamp`"],
    [
      "curated.vouchers",
      "recency_segment",
      [{ model: "raw.vouchers", column: "last_order_ts" }],
      "`raw.vouchers.last_order_ts`",
    ],
    [
      "provision.voucher_frequent_most_used",
      "voucher_amount",
      [{ model: "provision.voucher_amount_usage", column: "voucher_amount" }],
      "`provision.voucher_amount_usage.voucher_amount`",
    ],
    ["curated.vouchers", "execution_date", [], "no column"],
  ])("for %s.%s are the same in every form", (name, column, origins, text) => {
    const model = dictionaryDataOf(version, lineage).models.find((one) => one.model === name);
    expect(model?.columns.find((one) => one.name === column)?.comes_from).toEqual(origins);
    const [, section = ""] = dictionaryOf(version, lineage).split(`\n## ${name}\n`);
    expect(section.split("\n## ")[0]).toMatch(new RegExp(`^\\| \`${column}\` .*\\| ${text} \\|$`, "m"));
    const html = siteOf(version, lineage).get(`${name}.html`) ?? "";
    const [, cells = ""] = new RegExp(`<code>${column}</code></th>(.*?)</tr>`).exec(html) ?? [];
    for (const origin of origins)
      expect(cells).toContain(
        origin.model === null
          ? `the files' <code>${origin.column}</code>`
          : `<a href="${origin.model}.html"><code>${origin.model}.${origin.column}</code></a>`,
      );
    expect(cells.endsWith("<td>no column</td>")).toBe(origins.length === 0);
  });

  it("are unknown if the SQL of a model is not traceable", async () => {
    const hostile = HOSTILE.replace(
      "SELECT count(*) AS vouchers,",
      "SELECT max(COLUMNS('total_orders')) AS vouchers,",
    );
    const added = parseSqlVersion("v1", withFile("v1/curated/added.sql", hostile));
    const { models } = dictionaryDataOf(added, await traceForDictionary(added));
    expect(models.find(({ model }) => model === "curated.added")?.columns).toEqual([
      expect.objectContaining({ name: "vouchers", comes_from: null }),
      expect.objectContaining({ name: "execution_date", comes_from: null }),
    ]);
    const unknown = await traceForDictionary(added);
    expect(dictionaryOf(added, unknown)).toContain(
      "| `vouchers` | BIGINT | Vouchers <b>here</b> | not known |",
    );
    expect(siteOf(added, unknown).get("curated.added.html")).toContain("<td>not known</td>");
  });
});

describe("pipeline docs", () => {
  it("writes the pages and their files into a folder, also over existing ones", async () => {
    const out = path.join(await makeFolder(), "new/site");
    await pipeline(["docs", "--out", out], ENVIRONMENT);
    expect(await pipeline(["docs", "--out", out], ENVIRONMENT)).toMatchObject({
      code: 0,
      stdout: `open ${out}/index.html\n`,
    });
    expect((await readdir(out)).sort()).toEqual([...site.keys(), ...ASSETS].sort());
    expect(await readFile(path.join(out, "index.html"), "utf8")).toBe(site.get("index.html"));
  });

  it("names for machines the start page, and every file", async () => {
    const out = path.join(await makeFolder(), "site");
    const { code, stdout } = await pipeline(["docs", "--out", out, "--json"], ENVIRONMENT);
    const { index, files } = JSON.parse(stdout) as WrittenSite;
    expect([code, index]).toEqual([0, path.join(out, "index.html")]);
    expect([...files].sort()).toEqual((await readdir(out)).map((file) => path.join(out, file)).sort());
  });

  it("writes Markdown into a file, and prints it without one", async () => {
    const file = path.join(await makeFolder(), "dictionary.md");
    expect(await pipeline(["docs", "--markdown", file], ENVIRONMENT)).toMatchObject({ code: 0, stdout: "" });
    const text = await readFile(file, "utf8");
    expect(text).toBe(await readFile(path.join(PROJECT, "docs/data-dictionary.md"), "utf8"));
    expect(await pipeline(["docs", "--markdown"], ENVIRONMENT)).toMatchObject({ code: 0, stdout: text });
  });

  it("writes the data contract into a file, and prints it without one", async () => {
    const file = path.join(await makeFolder(), "contract.yaml");
    expect(await pipeline(["docs", "--odcs", file], ENVIRONMENT)).toMatchObject({ code: 0, stdout: "" });
    const text = await readFile(file, "utf8");
    expect(text).toBe(await readFile(path.join(PROJECT, "docs/data-contract.odcs.yaml"), "utf8"));
    expect(await pipeline(["docs", "--odcs"], ENVIRONMENT)).toMatchObject({ code: 0, stdout: text });
  });

  it("prints every model of the version for programs", async () => {
    const { code, stdout } = await pipeline(["docs", "--json"], ENVIRONMENT);
    const { models } = JSON.parse(stdout) as { models: { model: string }[] };
    expect([code, models.map(({ model }) => model)]).toEqual([0, version.models.map(({ name }) => name)]);
    expect(models.find(({ model }) => model === "provision.voucher_frequent_most_used")).toMatchObject({
      key: ["country_code", "frequent_segment"],
      published_columns: ["country_code", "frequent_segment", "voucher_amount", "execution_date"],
      audits: ["most_used_is_recounted"],
    });
  });

  it.each([
    [["--out", "/proc/site"], "cannot write --out /proc/site"],
    [["--markdown", "/proc/site"], "cannot write --markdown /proc/site"],
    [["--odcs", "/proc/contract"], "cannot write --odcs /proc/contract"],
    [[], "missing format. Use --out FOLDER, --markdown [FILE], --odcs [FILE] or --json"],
    [["--markdown", "--json"], "--markdown cannot be combined with --out, --odcs or --json"],
    [["--markdown", "--out", "site"], "--markdown cannot be combined with --out, --odcs or --json"],
    [["--markdown", "--odcs"], "--markdown cannot be combined with --out, --odcs or --json"],
    [["--odcs", "--json"], "--odcs cannot be combined with --out, --markdown or --json"],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await pipeline(["docs", ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("INVALID_USAGE")]);
    expect(stderr).toContain(message);
  });
});
