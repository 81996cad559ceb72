import type { IncomingHttpHeaders } from "node:http";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { RunReport } from "../../../src/record/run-record.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../../run/running.js";
import { makeWorkspace } from "../../workspace.js";
import { startFaultyProxy } from "./faulty-proxy.js";

/** What a run asks of S3, by kind: how many times in all, or for each object where it is about one. */
class Requests {
  readonly #seen: { readonly kind: string; readonly object: string; readonly bytes: number }[] = [];

  note(method = "", url = "", { range, "x-amz-copy-source": copied }: IncomingHttpHeaders): void {
    const { pathname, searchParams } = new URL(url, "http://s3");
    const list = searchParams.has("uploads") ? "list uploads" : "list";
    const isList = searchParams.has("list-type") || searchParams.has("uploads");
    const kind = isList ? list : copied === undefined ? method : "copy";
    const [, first = 0, last = -1] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
    const bytes = Number(last) - Number(first) + 1;
    this.#seen.push({ kind, object: decodeURIComponent(pathname), bytes });
  }

  /** How many bytes were asked for of objects whose name has a text in it. */
  bytesOf(part: string): number {
    const found = this.#seen.filter(({ kind, object }) => kind === "GET" && object.includes(part));
    return found.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** How many of each kind, of objects whose name has a text in it. */
  ofKinds(part = ""): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { kind, object } of this.#seen)
      if (object.includes(part)) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  /** How often the object was asked for, by one kind, that was asked for most. */
  mostOfOneObject(kind: string): number {
    const objects = this.#seen.filter((request) => request.kind === kind).map(({ object }) => object);
    return Math.max(...objects.map((object) => objects.filter((other) => other === object).length));
  }
}

/** DuckDB runs two statements at a time: both may begin to read a file that neither has read before. */
const AT_ONCE = 2;

describe("a run on S3", () => {
  const requests = new Requests();
  let report: RunReport;

  beforeAll(async () => {
    const { settings } = await makeWorkspace({}, "minio+sqlite");
    for (const name of ["a", "b", "c"])
      await putVouchers(settings.zones.raw, times(20_000, voucher()), `vouchers/${name}.parquet`);
    const endpoint = await startFaultyProxy(({ method, url, headers }) => {
      requests.note(method, url, headers);
      return undefined;
    });
    report = await run({ ...settings, s3: { ...settings.s3, endpoint } }, EXECUTION_DATE);
  });

  it("reads each raw file once, however many statements need it", () => {
    const { HEAD = 0, GET = 0 } = requests.ofKinds("/zone_01_raw/vouchers/");
    expect(HEAD).toBeLessThanOrEqual(3 * AT_ONCE);
    expect(GET).toBeLessThanOrEqual(3 * AT_ONCE);
  });

  it("gets no byte of a raw file twice", () => {
    const size = report.inputs.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(requests.bytesOf("/zone_01_raw/vouchers/")).toBe(size);
  });

  it("reads each file that it has written once for its audits and once for its hash", () => {
    expect(requests.mostOfOneObject("GET")).toBeLessThanOrEqual(AT_ONCE + 1);
    expect(requests.mostOfOneObject("HEAD")).toBeLessThanOrEqual(AT_ONCE);
  });

  it("writes, copies and removes each file once", () => {
    const { tables } = report;
    expect(requests.ofKinds("/_staging/")).toMatchObject({ PUT: tables.length, DELETE: tables.length });
    expect(requests.ofKinds()["copy"]).toBe(tables.length);
  });

  it("lists the raw files twice, each partition and its staged files once, and the leftovers of runs", () => {
    const { list = 0, "list uploads": uploads = 0 } = requests.ofKinds();
    expect([list, uploads]).toEqual([2 + 2 * report.tables.length + 6, 6]);
  });
});
