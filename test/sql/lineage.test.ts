import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Sources } from "../../src/models/lineage/sources.js";
import { parseSqlVersion } from "../../src/models/load.js";
import { lineageFrom, traceColumns } from "../../src/run/column-lineage.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { PROJECT } from "../workspace.js";
import { version } from "./session.js";

const SNAPSHOT = path.join(PROJECT, "test/sql/lineage.txt");
const isUpdating = process.env["UPDATE_SNAPSHOTS"] === "1" && process.env["CI"] === undefined;

const lineage = await traceColumns(version, parseExecutionDate("2020-05-29"), "0.5");

/** `raw.vouchers.timestamp FILTER+SORT`, a line each. */
function lines(sources: Sources): string[] {
  return sources
    .list()
    .map(({ relation, column, derivations }) => `    ${relation}.${column} ${derivations.join("+")}`);
}

describe("the lineage of the models", () => {
  it("is known of every one", () => {
    expect([...lineage.untraceable]).toEqual([]);
    expect([...lineage.models.keys()].sort()).toEqual(version.models.map(({ name }) => name).sort());
  });

  it("is the snapshot", async () => {
    const text = [...lineage.models]
      .flatMap(([model, { columns, rows }]) => [
        model,
        ...[...columns].flatMap(([column, sources]) => [`  ${column}`, ...lines(sources)]),
        "  (rows)",
        ...lines(rows),
      ])
      .join("\n");
    if (isUpdating) await writeFile(SNAPSHOT, `${text}\n`);
    expect(`${text}\n`).toBe(await readFile(SNAPSHOT, "utf8"));
  });

  it("goes through the models between to the raw files", () => {
    const answers = lineageFrom(lineage, "provision.voucher_frequent_most_used", () => false);
    expect(answers?.columns.get("voucher_amount")?.list()).toEqual([
      { relation: "raw.vouchers", column: "voucher_amount", derivations: ["TRANSFORMATION"] },
    ]);
    expect(answers?.rows.list().map(({ relation }) => relation)).not.toContain(
      "provision.voucher_amount_usage",
    );
  });

  it("stops at a given model", () => {
    const answers = lineageFrom(
      lineage,
      "provision.voucher_frequent_most_used",
      (model) => model === "curated.vouchers",
    );
    expect(answers?.columns.get("voucher_amount")?.list()).toEqual([
      { relation: "curated.vouchers", column: "voucher_amount", derivations: ["IDENTITY"] },
    ]);
  });

  it("lists the models without lineage, and then no model that derives from them", async () => {
    const modelOf = (select: string) => `/*
description: For a test.
columns:
  amount:         { type: INTEGER, description: An amount }
  execution_date: { type: VARCHAR, description: The partition }
*/
${select}
ORDER BY ALL
`;
    const texts = new Map(
      [
        ...version.texts,
        ["v1/provision/a.sql", modelOf('SELECT COLUMNS(*) FROM {{ "curated.vouchers" | ref }}')] as const,
        [
          "v1/provision/b.sql",
          modelOf('SELECT amount, execution_date FROM {{ "provision.a" | ref }}'),
        ] as const,
      ].sort(),
    );
    const traced = await traceColumns(parseSqlVersion("v1", texts), parseExecutionDate("2020-05-29"), "0.5");
    expect([...traced.untraceable]).toEqual([["provision.a", "COLUMNS(…) is not understood"]]);
    expect(lineageFrom(traced, "provision.a", () => false)).toBeUndefined();
    expect(lineageFrom(traced, "provision.b", () => false)).toBeUndefined();
    const stopped = lineageFrom(traced, "provision.b", (model) => model === "provision.a");
    expect(stopped?.columns.get("amount")?.list()).toEqual([
      { relation: "provision.a", column: "amount", derivations: ["IDENTITY"] },
    ]);
  });
});
