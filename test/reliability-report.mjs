// Makes a table of what tests of reliability have tried and what came of it, of the results that they have written:
//   node test/reliability-report.mjs FOLDER [--write]
// With --write it replaces the table in docs/reliability.md.
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

const DOCUMENT = path.resolve(import.meta.dirname, "../docs/reliability.md");
const TABLE = /(<!-- results -->\n)[\s\S]*(\n<!-- end of results -->)/;

const [folder, option] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write("usage: node test/reliability-report.mjs FOLDER [--write]\n");
  process.exit(2);
}

const files = (await readdir(folder)).filter((file) => file.endsWith(".json")).sort();
const results = await Promise.all(
  files.map(async (file) => JSON.parse(await readFile(path.join(folder, file), "utf8"))),
);
const table = tableOf(results);
if (option === "--write") {
  const text = await readFile(DOCUMENT, "utf8");
  await writeFile(
    DOCUMENT,
    text.replace(TABLE, (_all, begin, end) => `${begin}\n${table}\n${end}`),
  );
} else {
  process.stdout.write(`${table}\n`);
}

function tableOf(all) {
  const rows = all.map(({ name, tried, outcomes, violations }) =>
    [name, listed(tried), listed(outcomes), violations].join(" | "),
  );
  const head = ["what", "tried", "what happened", "violations"].join(" | ");
  return [head, "--- | --- | --- | ---", ...rows].map((row) => `| ${row} |`).join("\n");
}

function listed(counts) {
  return Object.entries(counts)
    .map(([what, count]) => `${what}: ${count.toLocaleString("en")}`)
    .join("<br>");
}
