import { describe, it } from "@jest/globals";
import fc from "fast-check";
import { putVouchers, voucher } from "../raw-vouchers.js";
import { run } from "../run/running.js";
import { putFile } from "../storage.js";
import { makeWorkspace } from "../workspace.js";
import { PROPERTY_TIMEOUT, Suite } from "./checking.js";
import { executionMoment } from "./contract.js";
import { expectContract, type SourceRow } from "./expecting.js";
import { rawFiles, textRow, writeRawFile, type RawFile } from "./raw-files.js";

const suite = new Suite("Hostile raw data");

const EXECUTION_DATES = ["2020-05-29", "2020-02-29T06:00:00Z", "2024-12-31T23:59:59", "2199-01-01T00:00:01"];

/** Known at each of the dates: a run without a curated row fails. */
const KNOWN = voucher({ timestamp: "2019-05-01 10:00:00", last_order_ts: "2019-05-01" });

interface DataSet {
  readonly executionDate: string;
  readonly files: readonly RawFile[];
}

const dataSets: fc.Arbitrary<DataSet> = fc.constantFrom(...EXECUTION_DATES).chain((executionDate) =>
  fc.record({
    executionDate: fc.constant(executionDate),
    files: rawFiles(executionMoment(executionDate), 150),
  }),
);

describe("raw data of every type and spelling", () => {
  it(
    "gives each row the result of the contract, and each answer that of the curated rows",
    async () => {
      await suite.holds(dataSets, async ({ executionDate, files }) => {
        const { settings } = await makeWorkspace({ maxRejectedShare: "1" });
        const folder = `${settings.zones.raw}/vouchers`;
        const rows: SourceRow[] = [{ row: textRow(KNOWN), file: "vouchers/part.parquet" }];
        await putVouchers(settings.zones.raw, [KNOWN]);
        await putFile(folder, ".hidden/faulty.parquet", "no vouchers");
        await putFile(folder, "_temporary/faulty.csv", "no vouchers");
        for (const file of files) {
          const written = await writeRawFile(folder, file);
          rows.push(...written.map((row) => ({ row, file: `vouchers/${file.name}` })));
        }
        suite.count(files.length, rows.length);
        const report = await run(settings, executionDate);
        await expectContract(settings, executionDate, report, rows);
        suite.end("as the contract says", files.length);
      });
    },
    PROPERTY_TIMEOUT,
  );
});
