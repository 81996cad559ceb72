import { cp, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { runTests, type CaseResult } from "../../src/introspect/check/run-tests.js";
import { readSettings } from "../../src/settings/settings.js";
import { makeFolder, PROJECT } from "../workspace.js";

const MODEL = "provision.orders_of_countries";

const SQL = `/*
description: A model with each audit that comes with the project.
audits:
  - not_empty
  - not_null: { column: country_code }
  - accepted_values: { column: country_code, values: [Peru, "Côte d'Ivoire", "5"] }
  - relationships: { column: country_code, to: curated.vouchers, field: country_code }
  - row_count_between: { min: 1, max: 2 }
  - freshness: { column: latest, days: 3 }
columns:
  country_code:   { type: VARCHAR, description: The country }
  latest:         { type: TIMESTAMP, description: The newest order }
  execution_date: { type: VARCHAR, description: The partition }
*/
SELECT country_code, max("timestamp") AS latest, {{ partition_key }} AS execution_date
FROM {{ "curated.vouchers" | ref }}
GROUP BY country_code
ORDER BY ALL
`;

/** Each case with the rows of the model, the rows that it may refer to, and the audit that fails; null for none. */
const CASES: Record<string, [rows: string[], referred: string[], raises: string | null]> = {
  "all is well": [["Peru, 2020-05-26"], ["Peru"], null],
  "a text has a quote": [["Côte d'Ivoire, 2020-05-26"], ["Côte d'Ivoire"], null],
  "the newest is as old as it may be": [["Peru, 2020-05-26 00:00:00", "Peru, 2020-01-01"], ["Peru"], null],
  "a value is missing": [["~, 2020-05-29"], ["Peru"], "not_null"],
  "a value is none of the list": [["peru, 2020-05-29"], ["peru"], "accepted_values"],
  "a value is not in the other model": [["Peru, 2020-05-29"], ["Chile", "~"], "relationships"],
  "there are too many rows": [
    ["Peru, 2020-05-29", "Peru, 2020-05-29", "Peru, 2020-05-29"],
    ["Peru"],
    "row_count_between",
  ],
  "there are too few rows": [[], ["Peru"], "row_count_between"],
  "the newest is older": [["Peru, 2020-05-25 23:59:59"], ["Peru"], "freshness"],
  "no row has a moment": [["Peru, ~"], ["Peru"], "freshness"],
  "there is no row": [[], ["Peru"], "not_empty"],
};

/** The audits of a case that fail are told by `raises`, and all that do not by `passes`. */
function testFile(): string {
  const row = (text: string) => {
    const [country, latest] = text.split(", ");
    return `{ country_code: ${country === undefined || country === "~" ? "~" : `"${country}"`}, latest: ${latest ?? "~"} }`;
  };
  return Object.entries(CASES)
    .map(([name, [rows, referred, raises]]) =>
      [
        `- name: ${name}`,
        "  execution_date: 2020-05-29",
        "  given:",
        `    ${MODEL}: [${rows.map(row).join(", ")}]`,
        `    curated.vouchers: [${referred.map((country) => `{ country_code: ${country === "~" ? "~" : `"${country}"`} }`).join(", ")}]`,
        raises === null
          ? "  passes: [not_empty, not_null, accepted_values, relationships, row_count_between, freshness]"
          : `  raises: ${raises}`,
      ].join("\n"),
    )
    .join("\n\n");
}

let results: readonly CaseResult[];

beforeAll(async () => {
  const folder = path.join(await makeFolder(), "sql");
  await cp(path.join(PROJECT, "sql"), folder, { recursive: true });
  await writeFile(path.join(folder, "v1/provision/orders_of_countries.sql"), SQL);
  await writeFile(path.join(folder, `v1/tests/${MODEL}.yaml`), testFile());
  const settings = readSettings({ SQL_DIRECTORY: folder, DUCKDB_THREADS: "1" });
  results = await runTests(settings, MODEL, new AbortController().signal);
});

describe("the ready-made audits decide as they promise", () => {
  it.each(Object.keys(CASES))("if %s", (name) => {
    expect(results.find((result) => result.name === name)).toMatchObject({ passed: true, failures: [] });
  });
});
