import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { runTests } from "../../src/introspect/check/run-tests.js";
import { readSettings } from "../../src/settings/settings.js";
import { PROJECT } from "../workspace.js";

/** The cases of `sql/v1/tests/`, as `pipeline test` runs them. */
const settings = readSettings({ SQL_DIRECTORY: path.join(PROJECT, "sql"), DUCKDB_THREADS: "1" });
const results = await runTests(settings, undefined, new AbortController().signal);

describe.each([...new Set(results.map(({ model }) => model))])("%s", (model) => {
  it.each(results.filter((result) => result.model === model).map((result) => [result.name, result] as const))(
    "%s",
    (_name, { failures }) => {
      expect(failures.map(({ line, message }) => `${line.toString()}: ${message}`)).toEqual([]);
    },
  );
});
