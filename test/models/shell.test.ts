import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { loadSqlVersion, type SqlVersion } from "../../src/models/load.js";
import { isWritten } from "../../src/models/model.js";
import { initText, s3InitText } from "../../src/models/shell-init.js";
import { viewsSql } from "../../src/models/shell-views.js";
import { PROJECT } from "../workspace.js";

const read = (file: string) => readFile(path.join(PROJECT, file), "utf8");
const loadVersion = () => loadSqlVersion(path.join(PROJECT, "sql"), "v1");

describe("the files for duckdb -init", () => {
  it("are those that the headers of the models make: npm run shell -- --write-init sql", async () => {
    expect(await read("sql/shell.sql")).toBe(initText(await loadVersion()));
    expect(await read("sql/shell-s3.sql")).toBe(s3InitText());
  });

  it("have the zones that the settings have, unless they are set", async () => {
    const example = await read(".env.example");
    for (const [, setting = "", folder = ""] of example.matchAll(/^# ([A-Z]+_ZONE)=(\S+)$/gm)) {
      expect(await read("sql/shell.sql")).toContain(`nullif(getenv('${setting}'), ''), '${folder}')`);
    }
  });
});

describe("the views of the shell", () => {
  it("have names of their own, or else the models are refused", async () => {
    const { models } = await loadVersion();
    const [model] = models.filter(isWritten);
    if (model === undefined) throw new Error("there is no model");
    const clashing: Pick<SqlVersion, "models"> = {
      models: [model, { ...model, table: `${model.table}_all` }],
    };
    expect(() => viewsSql(clashing)).toThrow(/two models would have the view '\w+_all'/);
  });
});
