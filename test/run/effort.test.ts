import { beforeAll, describe, expect, it } from "@jest/globals";
import { RunActivity } from "../../src/run/activity.js";
import { withSharedRaw } from "../../src/run/backfill/shared-raw.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { HEADER, LINE } from "../end-to-end/failing.js";
import { putLargeFile, putVouchers, times, voucher } from "../raw-vouchers.js";
import { putFile } from "../storage.js";
import { makeWorkspace, type Workspace } from "../workspace.js";
import { effortOf, type Effort } from "./effort.js";
import { EXECUTION_DATE, run } from "./running.js";

const CURATED = 1_000;
const REJECTED = 100;
const IN_CSV = 5;
const RAW = CURATED + REJECTED + IN_CSV;

async function workspaceOfTwoFormats(): Promise<Workspace> {
  const workspace = await makeWorkspace();
  const { raw } = workspace.settings.zones;
  await putVouchers(raw, [
    ...times(CURATED, voucher()),
    ...times(REJECTED, voucher({ voucher_amount: null })),
  ]);
  await putFile(raw, "vouchers/late.csv", `${HEADER}\n${times(IN_CSV, LINE).join("\n")}\n`);
  return workspace;
}

/** How many rows came of each scan of the files with a name, the largest first. */
function rowsOfScans({ scans }: Effort, name: string): number[] {
  return scans
    .filter(({ files }) => files.includes(name))
    .map(({ rows }) => rows)
    .sort((a, b) => b - a);
}

describe("a run makes DuckDB", () => {
  let effort: Effort;
  beforeAll(async () => {
    const { settings } = await workspaceOfTwoFormats();
    effort = await effortOf(() => run(settings));
  });

  it("read the rows of every raw file once", () => {
    expect(rowsOfScans(effort, "vouchers/part.parquet")).toEqual([CURATED + REJECTED]);
    expect(rowsOfScans(effort, "vouchers/late.csv")).toEqual([IN_CSV]);
  });

  it("read the typed rows four times: to count them, to account for them, for curated and for rejected", () => {
    expect(rowsOfScans(effort, "raw.vouchers").filter((rows) => rows === RAW)).toHaveLength(4);
    expect(rowsOfScans(effort, "raw.vouchers.parquet")).toEqual([]);
  });

  it("read the curated vouchers once to count amounts, once to recount them, and once for its audits", () => {
    const wholeScans = rowsOfScans(effort, "/vouchers/").filter((rows) => rows === CURATED + IN_CSV);
    expect(wholeScans).toHaveLength(3);
  });

  it("run one statement for each model, audit and measure at most", () => {
    expect(effort.statements).toBeLessThanOrEqual(62);
  });
});

describe("a run with more raw bytes than fit in memory", () => {
  it("makes DuckDB write the typed rows to a file", async () => {
    const { settings } = await makeWorkspace();
    await putLargeFile(settings.zones.raw, 24_000);
    const effort = await effortOf(() => run(settings));
    expect(rowsOfScans(effort, "raw.vouchers.parquet")).toEqual([24_000, 24_000, 24_000]);
  });
});

describe("a run of shared raw vouchers makes DuckDB", () => {
  it("read no raw file, and the typed ones as often as any run", async () => {
    const { settings } = await workspaceOfTwoFormats();
    const date = parseExecutionDate(EXECUTION_DATE);
    await withSharedRaw(settings, date, new AbortController().signal, new RunActivity(), async (raw) => {
      const effort = await effortOf(() => run(settings, EXECUTION_DATE, undefined, { raw }));
      expect(rowsOfScans(effort, "vouchers/part.parquet")).toEqual([]);
      expect(rowsOfScans(effort, "vouchers/late.csv")).toEqual([]);
      expect(rowsOfScans(effort, "raw/vouchers")).toEqual([]);
      expect(effort.scans.filter(({ rows }) => rows === RAW)).toHaveLength(3);
    });
  });
});
