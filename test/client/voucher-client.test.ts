import { beforeAll, describe, expect, it } from "@jest/globals";
import type * as z from "zod";
import type { answerSchema, receiptSchema, publicationSchema } from "../../src/api/v1/answer-schema.js";
import type { pricedLineSchema, priceSummarySchema } from "../../src/api/v1/campaign-schema.js";
import type { customerBody } from "../../src/api/v1/customer-schema.js";
import {
  VoucherClient,
  VoucherProblem,
  type Answer,
  type Customer,
  type PricedLine,
  type PriceSummary,
  type Publication,
  type Receipt,
} from "../../src/client/voucher-client.js";
import { serve } from "../api/serving.js";
import { run, runOver } from "../pipeline/running.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";

let client: VoucherClient;
let url: string;

const customer: Customer = { country_code: "Peru", segment_name: "frequent_segment", total_orders: 7 };

beforeAll(async () => {
  const { settings } = await runOver(times(2, voucher({ voucher_amount: "1000" })), "2020-05-28");
  await putVouchers(settings.zones.raw, times(3, voucher()));
  await run(settings, "2020-05-29");
  ({ url } = await serve(settings));
  client = new VoucherClient({ url });
});

describe("the client", () => {
  it("asks for one customer", async () => {
    expect(await client.mostUsed(customer)).toMatchObject({ voucher_amount: 2640, basis: "segment" });
  });

  it("asks for many, with options", async () => {
    const older = { execution_date: "2020-05-28", explain: true };
    const [first, second] = await client.mostUsedOfMany([customer, { ...customer, customer_id: 8 }], older);
    expect(first).toMatchObject({ voucher_amount: 1000, receipt: { measured: 7 } });
    expect(second?.customer_id).toBe(8);
  });

  it("prices a campaign, and tells which customers are at fault", async () => {
    const nobody = { ...customer, country_code: "Atlantis" };
    const faulty = { ...customer, total_orders: -1 };
    const { lines, summary } = await client.priceCampaign([customer, nobody, faulty]);
    expect(lines).toMatchObject([
      { line: 1, voucher_amount: 2640, error: null },
      { line: 2, voucher_amount: null, basis: "none" },
      { line: 3, error: expect.stringContaining("total_orders") },
    ]);
    expect(summary).toMatchObject({ lines: 3, priced: 1, without_amount: 1, faulty: 1, total_amount: 2640 });
  });

  it("reads tables and the history to their end", async () => {
    const rows = [];
    for await (const row of client.table("voucher_frequent_most_used")) rows.push(row["voucher_amount"]);
    expect(rows).toEqual([2640]);
    const dates = [];
    for await (const { execution_date } of client.publications()) dates.push(execution_date);
    expect(dates).toEqual(["2020-05-29T00:00:00Z", "2020-05-28T00:00:00Z"]);
  });

  it("reads segments and changes", async () => {
    const { segments } = await client.segments();
    expect(segments.map(({ segment_name }) => segment_name)).toEqual(["frequent_segment", "recency_segment"]);
    const { changes } = await client.changes("2020-05-29T00:00:00Z");
    expect(changes[0]).toMatchObject({ before: { voucher_amount: 1000 }, after: { voucher_amount: 2640 } });
  });

  it("throws what the service says is wrong, with the fields at fault", async () => {
    const asking = client.mostUsed({ ...customer, total_orders: -1 });
    await expect(asking).rejects.toBeInstanceOf(VoucherProblem);
    await expect(asking).rejects.toMatchObject({
      type: "urn:voucher-pipeline:problem:invalid-request",
      status: 400,
      errors: [{ field: "body.total_orders" }],
    });
  });

  it("has a method for every operation of the OpenAPI document that is not for operators", async () => {
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { operationId: string; tags: string[] }>>;
    };
    const operations = Object.values(paths)
      .flatMap((methods) => Object.values(methods))
      .filter(({ tags }) => tags.some((tag) => ["Vouchers", "Campaigns", "Publications"].includes(tag)))
      .map(({ operationId }) => operationId);
    expect(Object.keys(METHODS).sort()).toEqual(operations.sort());
    for (const method of Object.values(METHODS)) expect(typeof client[method]).toBe("function");
  });
});

/** Which method of the client asks for an operation. */
const METHODS = {
  getMostUsedVoucher: "mostUsed",
  findMostUsedVouchers: "mostUsedOfMany",
  priceCampaign: "priceCampaign",
  listSegments: "segments",
  readTable: "table",
  listPublications: "publications",
  listChanges: "changes",
} as const satisfies Record<string, keyof VoucherClient>;

/** What the compiler holds: the client's types are those of the schemas that the OpenAPI document is made of. */
type Same<One, Other> = [One] extends [Other] ? ([Other] extends [One] ? true : never) : never;
type Plain<Type> = Type extends readonly (infer Item)[]
  ? Plain<Item>[]
  : Type extends object
    ? { -readonly [Key in keyof Type]: Plain<Type[Key]> }
    : Type;
export const TYPES: [
  Same<Plain<Answer>, z.output<typeof answerSchema>>,
  Same<Plain<Receipt>, z.output<typeof receiptSchema>>,
  Same<Plain<Publication>, z.output<typeof publicationSchema>>,
  Same<Plain<PricedLine>, z.output<typeof pricedLineSchema>>,
  Same<Plain<PriceSummary>, z.output<typeof priceSummarySchema>>,
  [Customer] extends [z.input<typeof customerBody>] ? true : never,
] = [true, true, true, true, true, true];
