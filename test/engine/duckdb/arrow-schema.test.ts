import { describe, expect, it } from "@jest/globals";
import { arrowSchema } from "../../../src/engine/duckdb/arrow-schema.js";
import { COLUMN_TYPES } from "../../../src/models/header.js";

describe("the Arrow schema of a file", () => {
  const partition = { name: "execution_date", type: "VARCHAR" };

  it.each(COLUMN_TYPES)("can have a column of type %s, and is the same each time", (type) => {
    const columns = [{ name: "é", type }, partition];
    expect(arrowSchema(columns)).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(arrowSchema(columns)).toBe(arrowSchema(columns));
  });

  it("has these bytes, also a year later and on another machine", () => {
    expect(arrowSchema([{ name: "voucher_amount", type: "INTEGER" }, partition])).toBe(
      "/////+gAAAAQAAAAAAAKAAwACgAJAAQACgAAAAgAAAAAAQQAxP///wQAAAACAAAAfAAAABQAAAAQABgAFAATABIADAAIAAQAEAAAADAAAAAYAAAARAAAAAAA" +
        "BQEkAAAACAAIAAAABAAIAAAABAAAAJj///8AAAABIAAAAAAAAAAOAAAAZXhlY3V0aW9uX2RhdGUAAAQABAAEAAAAEAAUABAADwAOAAgAAAAEABAAAAAQAAAA" +
        "LAAAAAAAAgEIAAAAAAAAAA4AAAB2b3VjaGVyX2Ftb3VudAAACAAMAAgABwAIAAAAAAAAASAAAAAAAAAA",
    );
  });

  it("does not exist without a column that is also in the name of the folder", () => {
    expect(arrowSchema([])).toBeUndefined();
    expect(arrowSchema([{ name: "country_code", type: "VARCHAR" }])).toBeUndefined();
  });

  it("knows no other type", () => {
    expect(() => arrowSchema([{ name: "a", type: "HUGEINT" }, partition])).toThrow("HUGEINT");
  });
});
