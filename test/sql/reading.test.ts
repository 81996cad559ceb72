import { describe, expect, it } from "@jest/globals";
import { rowsOf, valueOf } from "./session.js";

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

describe("a moment from text", () => {
  it.each([
    ["2020-05-29", "2020-05-29 00:00:00"],
    ["2020-05-29 06:07:08", "2020-05-29 06:07:08"],
    ["2020-05-29T06:07:08", "2020-05-29 06:07:08"],
    ["2020-05-29 06:07:08.1", "2020-05-29 06:07:08.1"],
    ["2020-05-29 06:07:08.123456", "2020-05-29 06:07:08.123456"],
    ["2020-05-29 06:07:08.123456789", "2020-05-29 06:07:08.123456"],
    ["2020-05-29T06:07:08.999999999Z", "2020-05-29 06:07:08.999999"],
    ["1969-12-31 23:59:59.999999999", "1969-12-31 23:59:59.999999"],
    ["2020-05-29 06:07:08Z", "2020-05-29 06:07:08"],
    ["2020-05-29T06:07:08Z", "2020-05-29 06:07:08"],
    ["2020-05-29 06:07:08+00:00", "2020-05-29 06:07:08"],
    ["2020-05-29 06:07:08-00:00", "2020-05-29 06:07:08"],
    ["2020-05-29 06:07:08+02:30", "2020-05-29 03:37:08"],
    ["2020-05-29T06:07:08-05:00", "2020-05-29 11:07:08"],
    ["2020-05-29 00:30:00+01:00", "2020-05-28 23:30:00"],
    ["2020-05-29 06:07:08.123456+02:00", "2020-05-29 04:07:08.123456"],
    ["2020-05-29 06:07:08.12+02:00", "2020-05-29 04:07:08.12"],
    ["2020-05-29 06:07:08.1+0200", "2020-05-29 04:07:08.1"],
    ["2020-05-29 06:07:08.1-0200", "2020-05-29 08:07:08.1"],
    ["2020-05-29 06:07:08 +02:00", "2020-05-29 04:07:08"],
    [" \t2020-05-29 06:07:08\r\n\v\f ", "2020-05-29 06:07:08"],
    ["2020-05-29 24:00:00", "2020-05-30 00:00:00"],
    ["2020-02-29", "2020-02-29 00:00:00"],
    ["0001-01-01", "0001-01-01 00:00:00"],
    ["9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999"],
  ])("reads %j as %s", async (text, moment) => {
    expect(await valueOf(`moment(${quoted(text)})`)).toBe(moment);
  });

  it.each([
    "",
    " ",
    "NULL",
    "NA",
    "now",
    "today",
    "epoch",
    "infinity",
    "-infinity",
    "2020-02-30",
    "2019-02-29",
    "2020-13-01",
    "2020-05-29 25:00:00",
    "2020-05-29 23:60:00",
    "2020-05-29 23:59:60",
    "2020-05-29T06:07:08 Europe/Berlin",
    "2020-05-29 06:07:08 America/New_York",
    "2020-05-29Z",
    "20200529",
    "1590710400",
    "29.05.2020",
    "05/29/2020",
    "2020/05/29",
    "2020-05-29 06:07:08,5",
    "2020-05-29 06:07:08.1 UTC",
    "2020-05-2  06:07:08.123456",
    "2020-05-29  6:07:08",
    "2020-05-29 06:07:8.",
    "2020-05-29 24:00:01",
    "2020-05-29 06:07:08+25:00",
    "2020-05-29 06:07:08+02:60",
    "2020-05-29 (BC)",
    "\u00a02020-05-29",
  ])("does not read %j", async (text) => {
    expect(await valueOf(`moment(${quoted(text)})`)).toBeNull();
  });

  it("is not misled by a zone name in another row", async () => {
    const rows = await rowsOf(`
      SELECT moment(t) AS moment
      FROM (VALUES ('2018-01-01 00:00:00 America/New_York'), ('2018-01-01T00:00:00'), ('2018-01-01 00:00:00+01:00')) v(t)`);
    expect(rows.map(({ moment }) => moment)).toEqual([null, "2018-01-01 00:00:00", "2017-12-31 23:00:00"]);
  });

  it("reads its fast shapes like the grammar", async () => {
    const shapes = [
      "2018-07-21 18:59:38+00:00",
      "2018-07-21",
      "2018-07-21 18:59:38",
      "2018-07-21 18:59:38.123456",
      "2018-12-31 23:59:59.999999",
      "2018-07-21 18:59:38.123456+00:00",
      "2018-07-21T18:59:38Z",
      "2018-07-21 18:59:38.123",
      "2018-07-21T18:59:38.123Z",
      "2018-07-21T18:59:38.123456Z",
      "2018-07-21 18:59:38.123+00:00",
      "2018-07-21 18:59:38-05:30",
      "2018-07-21T18:59:38.123456789+0200",
      "0000-01-01 00:00:00-09",
    ];
    const characters = " \t\n+-0T:/.Zz9,a%eé\u0660";
    const texts = shapes.flatMap((shape) =>
      Array.from(shape).flatMap((_, index) => [
        shape.slice(0, index) + shape.slice(index + 1),
        ...Array.from(characters).flatMap((character) => [
          shape.slice(0, index) + character + shape.slice(index + 1),
          shape.slice(0, index) + character + shape.slice(index),
        ]),
      ]),
    );
    const values = [...new Set(texts)].map((text) => `(${quoted(text)})`).join(", ");
    const different = await rowsOf(`
      SELECT t, moment(t) AS moment, moment_by_grammar(t) AS grammar
      FROM (VALUES ${values}) v(t)
      WHERE moment(t) IS DISTINCT FROM moment_by_grammar(t)`);
    expect(different).toEqual([]);
  });
});

describe("a moment from a typed value", () => {
  it.each([
    ["TIMESTAMP '2020-05-29 06:07:08.123456'", "2020-05-29 06:07:08.123456"],
    ["TIMESTAMPTZ '2020-05-29 06:07:08+02:00'", "2020-05-29 04:07:08"],
    ["DATE '2020-05-29'", "2020-05-29 00:00:00"],
    ["TIMESTAMP_S '2020-05-29 06:07:08'", "2020-05-29 06:07:08"],
    ["TIMESTAMP_MS '2020-05-29 06:07:08.123'", "2020-05-29 06:07:08.123"],
    ["TIMESTAMP_NS '2020-05-29 06:07:08.123456789'", "2020-05-29 06:07:08.123456"],
    ["TIMESTAMP_NS '1969-12-31 23:59:59.999999999'", "1969-12-31 23:59:59.999999"],
    ["TIMESTAMP_NS '1969-12-31 23:59:59.999'", "1969-12-31 23:59:59.999"],
    ["make_timestamp_ns(-9223372036854775806)", "1677-09-21 00:12:43.145224"],
    ["make_timestamp(-9223372022400000000)", "290309-12-22 (BC) 00:00:00"],
    ["TIMESTAMP '0044-03-15 (BC) 12:00:00'", "0044-03-15 (BC) 12:00:00"],
    ["raw_milliseconds(-1)", "1969-12-31 23:59:59.999"],
    ["raw_milliseconds(-9223372022400000)", "290309-12-22 (BC) 00:00:00"],
    ["raw_milliseconds(9223372036854775)", "294247-01-10 04:00:54.775"],
  ])("reads %s as %s", async (value, moment) => {
    expect(await valueOf(`moment(${value})`)).toBe(moment);
  });

  it.each([
    "TIMESTAMP 'infinity'",
    "TIMESTAMP '-infinity'",
    "TIMESTAMPTZ 'infinity'",
    "TIMESTAMP_NS 'infinity'",
    "TIMESTAMP_NS '-infinity'",
    "make_timestamp(-9223372036854775808)",
    "make_timestamp(-9223372022400000001)",
    "make_timestamp_ns(-9223372036854775808)",
    "make_timestamptz(-9223372036854775808)",
    ...["-9223372022400001", "9223372036854776", "9223372036854775807", "-9223372036854775808", "NULL"].map(
      (number) => `raw_milliseconds(${number})`,
    ),
    "DATE 'infinity'",
    "DATE '5881580-07-10'",
    "CAST(NULL AS TIMESTAMP)",
  ])("does not read %s", async (value) => {
    expect(await valueOf(`moment(${value})`)).toBeNull();
  });
});

describe("the text of a rejected value", () => {
  it.each([
    ["TIMESTAMP '2020-05-29 06:07:08'", "2020-05-29 06:07:08"],
    ["TIMESTAMP_NS '2020-05-29 06:07:08.123456789'", "2020-05-29 06:07:08.123456789"],
    ["DATE '5881580-07-10'", "5881580-07-10"],
    ["make_timestamp(-9223372036854775808)", "-9223372036854775808"],
    ["make_timestamp_ns(-9223372036854775808)", "-9223372036854775808"],
    ["make_timestamp_ns(-9223286400000000001)", "-9223286400000000001"],
    ["make_timestamp_ns(-9223286400000000000)", "1677-09-22 00:00:00"],
    ["make_timestamptz(-9223372036854775808)", "-9223372036854775808"],
    ["TIMESTAMPTZ '2020-05-29 06:07:08+02'", "2020-05-29 04:07:08+00"],
    ["make_timestamptz(9223372036854775806)", "294247-01-10 04:00:54.775806+00"],
    ["TIMESTAMPTZ '-infinity'", "-infinity"],
    ["raw_milliseconds(-9223372036854775808)", "-9223372036854775808"],
    ["raw_milliseconds(9223372036854775807)", "9223372036854775807"],
    ["raw_milliseconds(1234)", "1970-01-01 00:00:01.234"],
    ["raw_milliseconds(NULL)", null],
    ["CAST(NULL AS TIMESTAMP)", null],
    ["[12]", "[12]"],
  ])("that is %s is %j", async (value, text) => {
    expect(await valueOf(`as_text(${value})`)).toBe(text);
  });
});

describe("a whole number", () => {
  it.each([
    ["'12'", "12"],
    ["'12.0'", "12"],
    ["'12.'", "12"],
    ["'12.000'", "12"],
    ["' \t12\n'", "12"],
    ["'+12'", "12"],
    ["'0012'", "12"],
    ["'0'", "0"],
    ["'2147483647.0'", "2147483647"],
    ["CAST(12 AS UTINYINT)", "12"],
    ["CAST(12 AS BIGINT)", "12"],
    ["CAST(-3 AS SMALLINT)", "-3"],
    ["CAST(12 AS DOUBLE)", "12"],
  ])("reads %s as %s", async (value, number) => {
    expect(await valueOf(`CAST(whole_number(${value}) AS VARCHAR)`)).toBe(number);
  });

  it.each([
    "''",
    "' '",
    "'4.5'",
    "'4.0000000001'",
    "'1e3'",
    "'0x10'",
    "'1_000'",
    "'1,000'",
    "'nan'",
    "'inf'",
    "'twelve'",
    "'١٢'",
    "'99999999999999999999999999'",
    "CAST(4.5 AS DOUBLE)",
    "CAST('nan' AS DOUBLE)",
    "CAST('inf' AS DOUBLE)",
    "CAST(1e300 AS DOUBLE)",
  ])("does not read %s", async (value) => {
    expect(await valueOf(`whole_number(${value})`)).toBeNull();
  });

  it.each([
    ["0", "0", 0],
    ["1", "0", null],
    ["0", "-1", null],
    ["0", "2147483647", 2_147_483_647],
    ["0", "2147483648", null],
  ])("from %s on takes %s as %s", async (lowest, number, taken) => {
    expect(await valueOf(`integer_from(${lowest}, CAST(${number} AS BIGINT))`)).toBe(taken);
  });
});

describe("blanks around a text", () => {
  it("are the six of the contract, and no others", async () => {
    expect(
      await valueOf("stripped(' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || 'Perú ')"),
    ).toBe("Perú");
    expect(await valueOf("stripped(chr(160) || 'Peru')")).toBe("\u00a0Peru");
    expect(await valueOf("stripped(chr(1) || 'Peru')")).toBe("\u0001Peru");
    expect(await valueOf("stripped('a b')")).toBe("a b");
    expect(await valueOf("stripped('  ')")).toBe("");
  });
});
