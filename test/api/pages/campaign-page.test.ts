import { beforeAll, describe, expect, it } from "@jest/globals";
import { voucher } from "../../raw-vouchers.js";
import { runOver } from "../../run/running.js";
import { makeWorkspace } from "../../workspace.js";
import { serve, type ServedApi } from "../serving.js";

const HTML = { headers: { Accept: "text/html" } };

let api: ServedApi;

beforeAll(async () => {
  api = await serve((await runOver([voucher()])).settings);
});

async function pageOf(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/campaign`, HTML);
  return { status: response.status, text: await response.text() };
}

describe("the page of campaigns", () => {
  it("says what a file has to look like, and how a program has it priced", async () => {
    const { status, text } = await pageOf(api.url);
    expect(status).toBe(200);
    expect(text).toContain("<h1>Price a campaign</h1>");
    for (const column of ["country_code", "segment_name", "total_orders", "last_order_ts", "customer_id"])
      expect(text).toContain(`<dt><code>${column}</code></dt>`);
    expect(text).toContain("curl --upload-file customers.csv");
    expect(text).toContain(`'${api.url}/v1/campaigns/price?execution_date=2020-05-29'`);
    expect(text).not.toContain("Authorization");
  });

  it("gives its script the publication, the day and the segments", async () => {
    const { text } = await pageOf(api.url);
    const given = /data-given="([^"]*)"/.exec(text)?.[1]?.replaceAll("&quot;", '"') ?? "";
    expect(JSON.parse(given)).toMatchObject({
      executionDate: "2020-05-29",
      today: "2020-05-29",
      segments: { frequent_segment: ["0-4", "5-13", "13-37", "37+"] },
    });
    expect(text).toMatch(/<script type="module" src="\/assets\/campaign\.js\?v=/);
  });

  it("stands in the menu", async () => {
    const text = await (await fetch(api.url, HTML)).text();
    expect(text).toContain('<a href="/campaign">Price a campaign</a>');
  });

  it("says that nothing is published yet", async () => {
    const empty = await serve((await makeWorkspace()).settings);
    const { status, text } = await pageOf(empty.url);
    expect(status).toBe(200);
    expect(text).toContain("Nothing is published yet");
    expect(text).not.toContain("campaign.js");
  });
});
