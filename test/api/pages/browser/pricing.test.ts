import { beforeAll, describe, expect, it } from "@jest/globals";
import { queryOf } from "../../../../src/api/pages/browser/campaign/ask-service.js";
import { piecesOf, joined, type Bytes } from "../../../../src/api/pages/browser/campaign/csv-pieces.js";
import {
  isWhole,
  readAnswer,
  gathered,
  SummedUp,
} from "../../../../src/api/pages/browser/campaign/pricing.js";
import { PRICED_CSV_HEADER, pricedCsv } from "../../../../src/api/v1/priced-csv.js";
import { times, voucher } from "../../../raw-vouchers.js";
import { runOver } from "../../../run/running.js";
import { serve } from "../../serving.js";

const LINES = [
  "\uFEFFcustomer_id,country_code,segment_name,total_orders,last_order_ts",
  "1,Peru,frequent_segment,15,2020-04-20",
  '"2,\n""two""",Peru,frequent_segment,2,2020-04-20',
  "",
  "3,Peru,frequent_segment,many,2020-04-20",
  '"4\r",Atlantis,frequent_segment,2,2020-04-20',
  "5,Peru,recency_segment,2,2020-04-20",
  "6,too,few",
  '"7 é😀",Perú,frequent_segment,15,2020-04-20',
];
const FILE = LINES.join("\r\n");

let address: string;

beforeAll(async () => {
  const { settings } = await runOver([
    ...times(3, voucher({ total_orders: "15", voucher_amount: "2640" })),
    ...times(9, voucher({ total_orders: "2", voucher_amount: "1000" })),
    voucher({ country_code: "Perú", total_orders: "15", voucher_amount: "7" }),
  ]);
  address = `${(await serve(settings)).url}/v1/campaigns/price`;
});

async function post(body: Bytes | string, accept: string, query = ""): Promise<string> {
  const headers = { "content-type": "text/csv", accept };
  return (await fetch(address + query, { method: "POST", body, headers })).text();
}

async function* whole(text: string): AsyncGenerator<Bytes> {
  yield await Promise.resolve(new TextEncoder().encode(text));
}

describe("a file in pieces", () => {
  it.each([1, 50, 120, 100_000])("of up to %i bytes is answered as it is in one", async (limit) => {
    const totals = new SummedUp();
    let csv = PRICED_CSV_HEADER;
    for await (const { header, records } of piecesOf(whole(FILE), Math.max(limit, 60))) {
      const text = await post(joined(header, records), "application/x-ndjson");
      expect(isWhole(text)).toBe(true);
      const { lines, summary } = readAnswer(text, totals.lines);
      totals.add(summary);
      csv += pricedCsv(lines);
    }
    expect(csv).toBe(await post(FILE, "text/csv"));
    const answered = JSON.parse(await post(FILE, "text/csv", "?summary=true")) as { summary: unknown };
    expect(totals.summary).toEqual(answered.summary);
  });
});

describe("an answer", () => {
  it("that breaks off has no end", async () => {
    const text = await post(FILE, "application/x-ndjson");
    for (const length of [0, 1, text.lastIndexOf("\n{") + 1, text.length - 2, text.length - 1])
      expect(isWhole(text.slice(0, length))).toBe(false);
    expect(isWhole(text)).toBe(true);
  });

  it("without lines is read", () => {
    const summary = { lines: 0, priced: 0, without_amount: 0, faulty: 0, total_amount: 0, groups: [] };
    expect(readAnswer(`${JSON.stringify({ summary })}\n`, 7)).toEqual({ lines: [], summary });
    expect(new SummedUp().summary).toEqual(summary);
  });
});

describe("groups", () => {
  it("are gathered by what they have in common", () => {
    const group = (country: string | null, customers: number, total_amount: number) => ({
      country,
      customers,
      total_amount,
    });
    expect(
      gathered([group("a", 1, 10), group(null, 2, 0), group("a", 3, 5)], ({ country }) => country),
    ).toEqual([
      { key: "a", customers: 4, total_amount: 15 },
      { key: null, customers: 2, total_amount: 0 },
    ]);
  });
});

describe("what the service is asked", () => {
  it("names the publication and the day, also where none is filled in", () => {
    const options = { segmentName: "", asOf: "", fallsBack: false, minAssignments: "" } as const;
    expect(queryOf(options, "2020-05-29", "2020-06-01").toString()).toBe(
      "execution_date=2020-05-29&as_of=2020-06-01&fallback=none",
    );
    expect(
      queryOf(
        { segmentName: "recency_segment", asOf: "2020-05-30", fallsBack: true, minAssignments: "9" },
        "2020-05-29",
        "2020-06-01",
      ).toString(),
    ).toBe(
      "execution_date=2020-05-29&as_of=2020-05-30&fallback=country&segment_name=recency_segment&min_assignments=9",
    );
  });
});
