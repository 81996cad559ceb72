import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { loadSqlVersion, type SqlVersion } from "../../src/models/load.js";
import { isWritten } from "../../src/models/model.js";
import { initText, s3InitText } from "../../src/models/shell-init.js";
import { viewsSql } from "../../src/models/shell-views.js";
import { readSettings } from "../../src/settings/settings.js";
import { PROJECT } from "../workspace.js";

const read = (file: string) => readFile(path.join(PROJECT, file), "utf8");
const loadVersion = () => loadSqlVersion(path.join(PROJECT, "sql"), "v1");

describe("the files for duckdb -init", () => {
  it("are those that the headers of the default version make", async () => {
    const { sqlVersion } = readSettings({});
    const version = await loadSqlVersion(path.join(PROJECT, "sql"), sqlVersion);
    expect(await read("dist/sql/shell.sql")).toBe(initText(version));
    expect(await read("dist/sql/shell-s3.sql")).toBe(s3InitText());
  });

  it("have the zones that the settings have, unless they are set", async () => {
    const example = await read(".env.example");
    const zones = [...example.matchAll(/^# ([A-Z]+_ZONE)=(\S+)$/gm)];
    expect(zones.map(([, setting]) => setting)).toEqual(["RAW_ZONE", "CURATED_ZONE", "PROVISION_ZONE"]);
    const init = await read("dist/sql/shell.sql");
    for (const [, setting = "", folder = ""] of zones)
      expect(init).toContain(`nullif(getenv('${setting}'), ''), '${folder}')`);
  });
});

describe("the views of the shell", () => {
  it("have unique names, or else the models are refused", async () => {
    const { models } = await loadVersion();
    const [model] = models.filter(isWritten);
    if (model === undefined) throw new Error("unknown model");
    const clashing: Pick<SqlVersion, "models"> = {
      models: [model, { ...model, table: `${model.table}_all` }],
    };
    expect(() => viewsSql(clashing)).toThrow(/two models have the same view '\w+_all'/);
  });
});
