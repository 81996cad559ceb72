import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { goodWorkspace } from "../end-to-end/failing.js";
import { times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE } from "../run/running.js";
import { putFile } from "../storage.js";
import { PROPERTY_TIMEOUT, Suite } from "./checking.js";
import { executionMoment } from "./contract.js";
import { damaged, damages } from "./damage.js";
import { expectAccountingLaw, expectRows, type SourceRow } from "./expecting.js";
import { csvFiles, parquetFiles, textRow, writeRawFile } from "./raw-files.js";
import { runUntilAccepted } from "./refusals.js";
import { vouchersOfCsv } from "./strict-csv.js";

const suite = new Suite("Damaged files");

const MOMENT = executionMoment(EXECUTION_DATE);
/** Files that one run reads, so that a process is started for many. */
const FILES = 40;
/** Of HOSTILE_RUNS: each case is a few processes. */
const SHARE = 1 / 10;

/** The rows that the workspace has before a file is damaged. */
const GOOD_ROWS: SourceRow[] = times(3, voucher()).map((row) => ({
  row: textRow(row),
  file: "vouchers/part.parquet",
}));

describe("a Parquet file with damaged bytes", () => {
  it(
    "is refused by name, or its rows are all accounted for",
    async () => {
      const cases = fc.array(
        fc.tuple(parquetFiles(MOMENT, 20), fc.array(damages, { minLength: 8, maxLength: 8 })),
        {
          minLength: FILES / 8,
          maxLength: FILES / 8,
        },
      );
      await suite.holds(
        cases,
        async (files) => {
          const workspace = await goodWorkspace();
          const names: string[] = [];
          for (const [file, hits] of files) {
            const whole = path.join(workspace.folder, "whole.parquet");
            await writeRawFile(workspace.folder, { ...file, name: "whole.parquet" });
            const bytes = await readFile(whole);
            for (const hit of hits) {
              const name = `damaged-${String(names.length)}.parquet`;
              await putFile(workspace.raw, name, damaged(bytes, hit));
              names.push(name);
            }
          }
          const { report, refused } = await runUntilAccepted(workspace, names);
          const { rows_read } = await expectAccountingLaw(workspace.settings, EXECUTION_DATE, report);
          expect(report.inputs).toHaveLength(1 + names.length - refused.length);
          suite.count(names.length, rows_read);
          suite.end("refused, named", refused.length);
          suite.end("as the contract says", names.length - refused.length);
        },
        SHARE,
      );
    },
    PROPERTY_TIMEOUT,
  );
});

describe("a CSV file with damaged bytes", () => {
  it(
    "is refused by name, or read as RFC 4180 defines",
    async () => {
      const cases = fc.array(
        fc.tuple(csvFiles(MOMENT, 20), fc.array(damages, { minLength: 8, maxLength: 8 })),
        {
          minLength: FILES / 8,
          maxLength: FILES / 8,
        },
      );
      await suite.holds(
        cases,
        async (files) => {
          const workspace = await goodWorkspace();
          const readable = new Map<string, SourceRow[] | undefined>();
          for (const [file, hits] of files) {
            const isCompressed = file.name.endsWith(".gz");
            const whole = isCompressed ? "whole.csv.gz" : "whole.csv";
            await writeRawFile(workspace.folder, { ...file, name: whole });
            const bytes = await readFile(path.join(workspace.folder, whole));
            for (const hit of hits) {
              const name = `damaged-${String(readable.size)}.csv${isCompressed ? ".gz" : ""}`;
              const content = damaged(bytes, hit);
              await putFile(workspace.raw, name, content);
              readable.set(
                name,
                vouchersOfCsv(content, isCompressed)?.map((row) => ({ row, file: `vouchers/${name}` })),
              );
            }
          }
          const { report, refused } = await runUntilAccepted(workspace, [...readable.keys()]);
          const accepted = [...readable].filter(([name]) => !refused.includes(name));
          expect(accepted.filter(([, rows]) => rows === undefined).map(([name]) => name)).toEqual([]);
          const rows = [...GOOD_ROWS, ...accepted.flatMap(([, read]) => read ?? [])];
          await expectRows(workspace.settings, EXECUTION_DATE, report, rows);
          suite.count(readable.size, rows.length);
          suite.end("refused, named", refused.length);
          suite.end("as the contract says", accepted.length);
        },
        SHARE,
      );
    },
    PROPERTY_TIMEOUT,
  );
});
