import { describe, expect, it } from "@jest/globals";
import { parseHeader } from "../../src/models/header.js";

const file = "sql/v1/provision/a.sql";
const good = [
  "description: A table",
  "key: [country]",
  "columns:",
  "  country: { type: VARCHAR, description: Where }",
];
const sqlOf = (lines: readonly string[]) => `/*\n${lines.join("\n")}\n*/\nSELECT 1`;

/** The good header with one line in the place of another. */
const changed = (line: number, text: string) =>
  sqlOf(good.map((original, index) => (index === line ? text : original)));

describe("the header of a model", () => {
  it("is read with its defaults", () => {
    expect(parseHeader("written", file, sqlOf(good))).toEqual({
      description: "A table",
      key: ["country"],
      publish: false,
      audits: [],
      columns: { country: { type: "VARCHAR", description: "Where", publish: true } },
    });
  });

  it("names audits with or without parameters", () => {
    const header = parseHeader(
      "written",
      file,
      sqlOf([...good, "audits: [one, { two: { segment: frequent } }]"]),
    );
    expect(header.audits).toEqual([
      { audit: "one", parameters: {} },
      { audit: "two", parameters: { segment: "frequent" } },
    ]);
  });

  it("has the use of an audit, together with its parameters", () => {
    const use = "{ two: { segment: frequent, severity: warn, threshold: { share: 0.1 } } }";
    expect(parseHeader("written", file, sqlOf([...good, `audits: [${use}]`])).audits).toEqual([
      { audit: "two", parameters: { segment: "frequent" }, severity: "warn", threshold: { share: 0.1 } },
    ]);
  });

  it("accepts the model's own audit, with its promise and its query", () => {
    const use = "{ two: { description: All is well, select: SELECT 1, severity: warn } }";
    expect(parseHeader("written", file, sqlOf([...good, `audits: [${use}]`])).audits).toEqual([
      {
        audit: "two",
        parameters: {},
        severity: "warn",
        own: { description: "All is well", select: "SELECT 1" },
      },
    ]);
  });

  it.each([
    [
      "an audit of its own without a promise",
      sqlOf([...good, "audits:", "  - one: { select: SELECT 1 }"]),
      `${file}:7: audits.0.one: an audit in a header needs both`,
    ],
    ["no header", "SELECT 1", `${file}:1: must begin with a header`],
    [
      "an unknown key",
      changed(1, "kye: [country]"),
      "unknown key 'kye'; known keys: description, columns, audits, key, publish",
    ],
    [
      "an unknown key of a column",
      changed(3, "  country: { type: VARCHAR, description: Where, lenght: 3 }"),
      `${file}:5: columns.country: unknown key 'lenght'; known keys: type, description, max_length, publish`,
    ],
    [
      "an unknown type",
      changed(3, "  country: { type: TEXT, description: Where }"),
      `${file}:5: columns.country.type`,
    ],
    [
      "an unknown severity",
      sqlOf([...good, "audits:", "  - one: { severity: loud }"]),
      `${file}:7: audits.0.one.severity: Invalid option: expected one of "error"|"warn"`,
    ],
    [
      "a threshold of both kinds",
      sqlOf([...good, "audits:", "  - one: { threshold: { rows: 1, share: 0.1 } }"]),
      `${file}:7: audits.0.one.threshold: set either rows or share`,
    ],
    ["no description", changed(0, "publish: true"), `${file}:2: description`],
    ["a name in capitals", changed(3, "  Country: { type: VARCHAR, description: Where }"), "lower case"],
    ["YAML that cannot be read", changed(1, "key: [country"), `${file}:`],
  ])("with %s is refused, with file, line and word", (_fault, text, message) => {
    expect(() => parseHeader("written", file, text)).toThrow(
      expect.objectContaining({ code: "INVALID_MODEL", message: expect.stringContaining(message) }),
    );
  });
});
