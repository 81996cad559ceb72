import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { SPARK } from "../../src/models/dialect.js";
import { planRun } from "../../src/run/plan.js";
import { PROJECT } from "../workspace.js";
import { inspections, input, plan, version } from "./session.js";

const SNAPSHOTS = path.join(PROJECT, "test/snapshots");

const { clusterFunctions } = planRun(version, {
  ...input,
  cluster: { dialect: SPARK, refuses: () => "nothing is read" },
});

const rendered = new Map([
  ["functions.sql", plan.functions.sql],
  ["functions.spark.sql", clusterFunctions?.sql ?? ""],
  ...plan.steps.map(({ model, rendered: { sql } }) => [`${model.name}.sql`, sql] as const),
  ...inspections.map(({ name, sql }) => [`inspections.${name}.sql`, sql] as const),
  ...plan.steps.flatMap(({ model, audits }) =>
    audits.map((audit) => [`${model.name}.audit.${audit.audit}.sql`, audit.rendered.sql] as const),
  ),
]);

/** `UPDATE_SNAPSHOTS=1 npm run jest -- rendered` writes them anew. CI never does. */
const isUpdating = process.env["UPDATE_SNAPSHOTS"] === "1" && process.env["CI"] === undefined;

describe("the SQL of a run", () => {
  it.each([...rendered])("is the snapshot %s", async (name, sql) => {
    const file = path.join(SNAPSHOTS, name);
    if (isUpdating) await writeFile(file, `${sql}\n`);
    expect(`${sql}\n`).toBe(await readFile(file, "utf8"));
  });

  it("has no snapshot of a missing text", async () => {
    expect((await readdir(SNAPSHOTS)).sort()).toEqual([...rendered.keys()].sort());
  });
});
