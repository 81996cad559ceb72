import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { pipeline } from "../cli/command.js";
import { writeParquet } from "../duckdb.js";
import { goodWorkspace, HEADER, LINE, visible } from "../end-to-end/failing.js";
import { voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { putFile } from "../storage.js";
import { Suite } from "./checking.js";

/** How long a line is. The default is more than any reader takes; see docs/testing.md. */
const LINE_MEGABYTES = Number(process.env["LONG_LINE_MEGABYTES"] ?? 64);
const COLUMNS = 10_000;

const suite = new Suite("Large files");
const numbers = Array.from({ length: COLUMNS - HEADER.split(",").length }, (_, index) => index);

describe("a file of ten thousand columns", () => {
  it("is read as its six needed columns, as CSV", async () => {
    const { settings, raw } = await goodWorkspace();
    const header = `${numbers.map((number) => `column ${number.toString()}`).join(",")},${HEADER}`;
    const line = `${numbers.join(",")},${LINE}`;
    await putFile(raw, "wide.csv", `${header}\n${line}\n${line}\n`);
    suite.count(1, 2);
    const { measures } = await run(settings);
    expect(measures["measures.row_accounting"]).toMatchObject([
      { rows_read: "5", rejected: "0", curated: "5" },
    ]);
    suite.end("as the contract says");
  }, 120_000);

  it("is read as its six needed columns, as Parquet", async () => {
    const { settings, raw } = await goodWorkspace();
    const values = Object.entries(voucher()).map(([name, value]) => `'${value ?? ""}' AS "${name}"`);
    const more = numbers.map((number) => `${number.toString()} AS "column ${number.toString()}"`);
    await writeParquet(path.join(raw, "wide.parquet"), `SELECT ${[...more, ...values].join(", ")}`);
    suite.count(1, 1);
    const { measures } = await run(settings);
    expect(measures["measures.row_accounting"]).toMatchObject([
      { rows_read: "4", rejected: "0", curated: "4" },
    ]);
    suite.end("as the contract says");
  }, 120_000);
});

describe("a line without an end", () => {
  it.each([
    ["in the header", [], `${HEADER},`],
    ["in a value", [`${HEADER}\n${LINE}\n`], "2020-05-01,"],
  ])(
    "%s is refused, and the message names the file",
    async (_where, before, begin) => {
      const workspace = await goodWorkspace();
      await writeLine(path.join(workspace.raw, "long.csv"), [...before, begin]);
      suite.count(1, 1);
      const { code, stderr } = await pipeline(["-e", EXECUTION_DATE], workspace.environment);
      expect({ code, stderr }).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(
          /^error RAW_FILE_UNREADABLE: cannot read this raw file\. .*\n {2}vouchers\/long\.csv: .+\nreport: .+\n$/,
        ),
      });
      expect(stderr.length).toBeLessThan(2_000);
      expect(await visible(workspace)).toEqual(workspace.before);
      suite.end("refused, named");
    },
    600_000,
  );

  it("and with bytes after the end of a compressed file is refused, and the message names the file", async () => {
    const workspace = await goodWorkspace();
    const whole = gzipSync(`${HEADER}\n${LINE}\n`);
    await putFile(workspace.raw, "trailing.csv.gz", Buffer.concat([whole, Buffer.from("no gzip")]));
    suite.count(1, 1);
    const { code, stderr } = await pipeline(["-e", EXECUTION_DATE], workspace.environment);
    expect({ code, stderr }).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("vouchers/trailing.csv.gz"),
    });
    expect(await visible(workspace)).toEqual(workspace.before);
    suite.end("refused, named");
  });
});

/** Writes texts, and behind them as many letters as a long line has. */
async function writeLine(file: string, begin: readonly string[]): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const stream = createWriteStream(file);
  const megabyte = "x".repeat(1_000_000);
  for (const text of [...begin, ...Array.from({ length: LINE_MEGABYTES }, () => megabyte)]) {
    if (!stream.write(text)) await once(stream, "drain");
  }
  stream.end("\n");
  await once(stream, "close");
}
