import { describe, expect, it } from "@jest/globals";
import type { TrustedProxies } from "../../../src/settings/settings.js";
import { voucher } from "../../raw-vouchers.js";
import { runOver } from "../../run/running.js";
import { serve } from "../serving.js";

const FORWARDED = {
  "X-Forwarded-Proto": "https",
  "X-Forwarded-Host": "vouchers.example.org",
  "X-Forwarded-Prefix": "/vouchers",
};
const CUSTOMER = "/customer?country_code=Peru&segment_name=frequent_segment&total_orders=40";

async function behind(trustProxy: TrustedProxies) {
  const { settings } = await runOver([voucher({ country_code: "Peru", total_orders: "40" })]);
  const { url } = await serve({ ...settings, api: { ...settings.api, trustProxy } });
  return (headers: Record<string, string>, address = CUSTOMER) =>
    fetch(url + address, { headers: { Accept: "text/html", ...headers } });
}

/** The address in the sample for curl. */
async function sampleOf(answer: Response): Promise<string> {
  return /curl '([^']*)\/v1/.exec(await answer.text())?.[1] ?? "";
}

describe("the headers of a proxy about the client's address", () => {
  it.each<[string, TrustedProxies]>([
    ["its address is listed", ["127.0.0.1"]],
    ["its network is listed", ["10.0.0.0/8", "loopback"]],
    ["it is one of so many", 1],
  ])("count if %s", async (_, trusted) => {
    const ask = await behind(trusted);
    expect(await sampleOf(await ask(FORWARDED))).toBe("https://vouchers.example.org/vouchers");
  });

  it.each<[string, TrustedProxies]>([
    ["no proxy is trusted", []],
    ["another one is", ["10.0.0.0/8"]],
    ["there is none in front", 0],
  ])("do not count if %s", async (_, trusted) => {
    const ask = await behind(trusted);
    const answer = await ask(FORWARDED);
    expect(await sampleOf(answer.clone())).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await answer.text()).not.toContain('="/vouchers/');
  });

  it.each(["//evil.example", "/a/../b", "vouchers", '/"><script>', "/..", `/${"x".repeat(200)}`])(
    "are refused if the prefix is %s",
    async (prefix) => {
      const ask = await behind(1);
      const answer = await ask({ "X-Forwarded-Prefix": prefix });
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain("X-Forwarded-Prefix must be a path such as /vouchers.");
    },
  );

  it("may have a slash at the end of the prefix, or only a slash", async () => {
    const ask = await behind(1);
    expect(await sampleOf(await ask({ ...FORWARDED, "X-Forwarded-Prefix": "/vouchers/" }))).toBe(
      "https://vouchers.example.org/vouchers",
    );
    expect(await sampleOf(await ask({ ...FORWARDED, "X-Forwarded-Prefix": "/" }))).toBe(
      "https://vouchers.example.org",
    );
  });

  it("apply to the link about deprecated parameters", async () => {
    const ask = await behind(1);
    const { headers } = await ask(FORWARDED, "/v1/publications?limit=1");
    expect(headers.get("link")).toContain("</vouchers/openapi.json>");
  });
});
