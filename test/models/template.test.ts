import { describe, expect, it } from "@jest/globals";
import { createRenderer } from "../../src/models/template.js";
import { query } from "../duckdb.js";

const renderer = createRenderer(new Set(["curated.vouchers", "raw.vouchers"]));
const render = (template: string, variables: object = {}) =>
  renderer.render("sql/v1/a.sql", template, variables);

const HOSTILE = [
  "it's",
  "''; DROP TABLE x; --",
  "a\nb",
  "100 %",
  "\\",
  '"quoted"',
  "{{ x }}",
  "$1",
  "🙂",
  "/* a */ -- b",
  "",
];

describe("a template", () => {
  it.each(HOSTILE)("writes %j as a literal that the engine reads as the same text", async (text) => {
    const { sql } = render("SELECT {{ value }} AS value", { value: text });
    expect(await query(sql)).toEqual([{ value: text }]);
  });

  it.each(HOSTILE.filter((text) => text !== ""))(
    "writes %j as an identifier that the engine reads as the same name",
    async (text) => {
      const { sql } = render("SELECT 1 AS {{ name | identifier }}", { name: text });
      expect(await query(sql)).toEqual([{ [text]: 1 }]);
    },
  );

  it("writes lists, numbers and booleans", () => {
    const { sql } = render("{{ texts | list }} {{ number }} {{ yes }} {{ names | identifiers }}", {
      texts: ["a", "it's"],
      number: 0.5,
      yes: true,
      names: ["country_code", "select"],
    });
    expect(sql).toBe(`['a', 'it''s'] 0.5 TRUE country_code, "select"`);
  });

  it("keeps its header, and every character after it, whatever the first tag trims", () => {
    const header = "/*\ndescription: >\n  {{ not }} {%- rendered\nkey: [a]\n*/";
    const { sql } = render(`${header}\n\n{%- assign key = 1 %}\nSELECT {{ key }}`);
    expect(sql).toBe(`${header}\nSELECT 1`);
    expect(render("{{- 1 }} AS one").sql).toBe("1 AS one");
  });

  it("lists its references", () => {
    const { sql, references } = render(
      'FROM {{ "curated.vouchers" | ref }} JOIN {{ "curated.vouchers" | ref }}',
    );
    expect(sql).toBe("FROM curated.vouchers JOIN curated.vouchers");
    expect(references).toEqual(["curated.vouchers"]);
    expect(render("SELECT 1").references).toEqual([]);
  });

  it.each([
    ["an unknown variable", "SELECT 1,\n{{ nothing }}", {}, "sql/v1/a.sql:2: undefined variable: nothing"],
    ["an unknown filter", "{{ 'a' | upcase_sql }}", {}, "undefined filter: upcase_sql"],
    [
      "an unknown model",
      "{{ 'curated.voucher' | ref }}",
      {},
      "unknown model 'curated.voucher'; known models: curated.vouchers, raw.vouchers",
    ],
    ["a way around the escaping", "{{ 'a' | raw }}", {}, "the filter 'raw' is not allowed"],
    [
      "a value that is no literal",
      "{{ value }}",
      { value: { a: 1 } },
      "a template can write texts, numbers and booleans",
    ],
    [
      "a number that is none",
      "{{ value }}",
      { value: Number.NaN },
      "a template can write texts, numbers and booleans",
    ],
    [
      "an inherited property",
      "{{ value.constructor }}",
      { value: {} },
      "undefined variable: value.constructor",
    ],
    ["a tag that is not closed", "{% for a in b %}", { b: [] }, "sql/v1/a.sql:1"],
  ])("with %s is refused, with file, line and word", (_fault, template, variables, message) => {
    expect(() => render(template, variables)).toThrow(
      expect.objectContaining({ code: "INVALID_MODEL", message: expect.stringContaining(message) }),
    );
  });
});
