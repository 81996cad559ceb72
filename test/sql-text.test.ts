import { describe, expect, it } from "@jest/globals";
import { callsOf, endsStatement, saysNothing, statementsOf } from "../src/sql-text/scan.js";

describe("a text of SQL", () => {
  it.each([
    "select 1;",
    "select 1; -- done",
    "select 1; /* done; /* really */ */ \n",
    "select ';'; select 2;",
    "select 'it''s';",
    "select E'it\\'s;';",
    'select 1 as "a;""b";',
    "select $$ a; ' $$;",
    "select $tag$ $$ ; $tag$;",
    "select $1;",
    "select name_e'x';",
    ";",
  ])("%j is a complete statement", (sql) => {
    expect(endsStatement(sql)).toBe(true);
  });

  it.each([
    "",
    "select 1",
    "select 1; select",
    "select 'a;",
    "select 'a'';",
    "select E'a\\';",
    'select "a;',
    "select $$ a;",
    "select $tag$ a; $$;",
    "select 1 /* ;",
    "select 1 /* /* */ ;",
    "select 1 -- ;",
  ])("%j is an incomplete statement", (sql) => {
    expect(endsStatement(sql)).toBe(false);
  });

  it("is scanned in one go, however long it is", () => {
    const long = `select '${"x".repeat(1_000_000)}', ${"1 + ".repeat(200_000)}1;`;
    const start = performance.now();
    expect(endsStatement(long)).toBe(true);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it.each([
    ["", true],
    [" ;; -- nothing\n/* at all */", true],
    ["'", false],
    ["; select", false],
  ])("%j is empty: %j", (sql, expected) => {
    expect(saysNothing(sql)).toBe(expected);
  });

  it("is divided into its statements, without blanks and comments", () => {
    expect(statementsOf("select ';' -- ;\n; /* ; /* ; */ */ drop table \"a;b\";;")).toEqual([
      ["select", "';'"],
      ["drop", "table", '"a;b"'],
    ]);
  });

  it.each([
    ["select f(1), g (2)", ["f", "g"]],
    ['from "F"() join main.h /* a */ ( )', ["f", "h"]],
    ["select 'f(1)', \"g(1)\", f -- (\n", []],
  ])("%j calls %j", (sql, called) => {
    expect(callsOf(sql)).toEqual(called);
  });
});
