import { describe, expect, it } from "@jest/globals";
import type { RawColumns } from "../../src/record/run-record.js";
import { driftBetween } from "../../src/run/raw-findings.js";

function files(
  first: string,
  count: number,
  types: Record<string, string>,
  model = "raw.vouchers",
): RawColumns {
  const columns = Object.entries(types).map(([name, type]) => ({ name, type }));
  return { model, format: "parquet", columns, files: count, first };
}

describe("the changes of the columns of raw files", () => {
  it("are none if files with known columns and types come and go", () => {
    const before = [
      files("a", 2, { amount: "BIGINT" }),
      files("b", 1, { amount: "VARCHAR", note: "VARCHAR" }),
    ];
    expect(driftBetween(before, [files("b", 7, { note: "VARCHAR", amount: "VARCHAR" })])).toEqual([]);
  });

  it("are new columns, missing ones, and new types, with their files", () => {
    const before = [files("a", 2, { amount: "BIGINT", note: "VARCHAR" })];
    const now = [
      files("a", 2, { amount: "BIGINT" }),
      files("c", 3, { amount: "DOUBLE", channel: "VARCHAR" }),
      files("d", 1, { amount: "BIGINT", channel: "INTEGER" }),
    ];
    expect(driftBetween(before, now)).toEqual([
      {
        model: "raw.vouchers",
        column: "amount",
        change: "retyped",
        types_before: ["BIGINT"],
        types: ["BIGINT", "DOUBLE"],
        files: 3,
        first: "c",
      },
      {
        model: "raw.vouchers",
        column: "channel",
        change: "new",
        types_before: [],
        types: ["INTEGER", "VARCHAR"],
        files: 4,
        first: "c",
      },
      {
        model: "raw.vouchers",
        column: "note",
        change: "gone",
        types_before: ["VARCHAR"],
        types: [],
        files: 0,
        first: null,
      },
    ]);
  });

  it("are none if a model has no earlier columns, and separate for each model", () => {
    expect(driftBetween([], [files("a", 1, { amount: "BIGINT" })])).toEqual([]);
    const orders = files("orders/a", 1, { id: "BIGINT" }, "raw.orders");
    const before = [files("a", 1, { amount: "BIGINT" })];
    expect(driftBetween(before, [...before, orders])).toEqual([]);
    expect(
      driftBetween([...before, orders], [...before, files("orders/a", 1, { id: "UUID" }, "raw.orders")]),
    ).toMatchObject([{ model: "raw.orders", column: "id", change: "retyped" }]);
  });
});
