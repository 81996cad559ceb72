import { describe, expect, it } from "@jest/globals";
import { ESLint, Linter } from "eslint";

/** What the project's rule on imports says about a file, which need not exist. */
async function refusals(file: string, imported: string): Promise<string[]> {
  const config = (await new ESLint().calculateConfigForFile(file)) as {
    readonly rules: Linter.RulesRecord;
  };
  const rule = config.rules["no-restricted-imports"] ?? "off";
  return new Linter()
    .verify(`import "${imported}";`, { rules: { "no-restricted-imports": rule } })
    .map(({ message }) => message);
}

describe("the walls between the rooms of src", () => {
  it.each([
    ["src/api/main.ts", "../models/load.js"],
    ["src/api/pages/health.ts", "../../models/load.js"],
    ["src/api/pages/health/deeper/still.ts", "../../../../run/run.js"],
    ["src/zones/s3-zone.ts", "../run/observers/metrics/state.js"],
    ["src/run/observers/metrics/state.ts", "../../../cli/main.js"],
  ])("let %s not import %s", async (file, imported) => {
    expect(await refusals(file, imported)).toEqual([expect.stringContaining("see docs/architecture.md")]);
  });

  it.each([
    ["src/api/pages/health.ts", "../../consumption/open.js"],
    ["src/run/observers/metrics/state.ts", "../../../consumption/open.js"],
    ["src/introspect/doctor/storage.ts", "../../run/raw-input.js"],
  ])("let %s import %s", async (file, imported) => {
    expect(await refusals(file, imported)).toEqual([]);
  });
});
