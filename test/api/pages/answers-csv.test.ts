import { beforeAll, describe, expect, it } from "@jest/globals";
import { parse } from "csv-parse/sync";
import { times, voucher, putVouchers } from "../../raw-vouchers.js";
import { run, runOver } from "../../run/running.js";
import { serve } from "../serving.js";

const FORMULA = `=HYPERLINK("http://example.org","Peru")`;

let url: string;

beforeAll(async () => {
  const before = [...times(9, voucher({ voucher_amount: "4400" })), voucher({ country_code: "Chile" })];
  const { settings } = await runOver(before, "2020-05-28");
  await putVouchers(settings.zones.raw, [
    ...times(9, voucher()),
    voucher({ country_code: FORMULA }),
    voucher({ country_code: "+1" }),
    voucher({ country_code: "Perú" }),
  ]);
  await run(settings, "2020-05-29");
  ({ url } = await serve(settings));
});

async function csv(query: string): Promise<Record<string, string>[]> {
  const response = await fetch(`${url}/answers.csv?${query}`);
  expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  return parse(await response.text(), { bom: true, columns: true });
}

describe("GET /answers.csv", () => {
  it("has a line for each answer, with its certainty, its counts, and the previous answer", async () => {
    const ofPeru = (await csv("sort=change")).filter(({ country }) => country === "Peru");
    expect(ofPeru.map(({ segment }) => segment)).toEqual(["5-13 orders", "30-60 days"]);
    expect(ofPeru[0]).toEqual({
      country: "Peru",
      segment: "5-13 orders",
      amount: "2640",
      certainty: "sure",
      chance: expect.stringMatching(/^0\.9\d*$/),
      vouchers: "9",
      changed: "yes",
      amount_before: "4400",
    });
  });

  it("selects the same answers as the page", async () => {
    const amounts = async (query: string) =>
      (await csv(query)).map(({ country, amount }) => `${country} ${amount}`);
    expect(await amounts("q=peru&certainty=sure")).toEqual(["Peru 2640", "Peru 2640"]);
    expect(await amounts("q=chile&changed=yes")).toEqual(["Chile ", "Chile "]);
    expect(await amounts("q=chile&execution_date=2020-05-28")).toEqual(["Chile 2640", "Chile 2640"]);
    expect(await amounts("q=nowhere")).toEqual([]);
  });

  it("has no text that a spreadsheet reads as a formula, a day or another alphabet", async () => {
    const text = await (await fetch(`${url}/answers.csv`)).text();
    expect(Buffer.from(await (await fetch(`${url}/answers.csv`)).arrayBuffer()).subarray(0, 3)).toEqual(
      Buffer.from([0xef, 0xbb, 0xbf]),
    );
    const cells = parse(text, { bom: true }).flat();
    expect(cells.filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual([]);
    expect(cells).toContain(`'${FORMULA}`);
    expect(cells.filter((cell) => /^\d+-\d+$/.test(cell))).toEqual([]);
  });

  it("refuses invalid parameters, and other methods", async () => {
    expect((await fetch(`${url}/answers.csv?certainty=quite`)).status).toBe(400);
    expect((await fetch(`${url}/answers.csv`, { method: "POST" })).status).toBe(405);
  });
});

describe("the tables and answers of the api, as CSV", () => {
  it.each(["/v1/answers?", "/v1/tables/voucher_country_most_used?"])(
    "%s are escaped for a spreadsheet if asked",
    async (address) => {
      const countries = async (query: string) => {
        const text = await (await fetch(`${url}${address}format=csv${query}`)).text();
        return parse<Record<string, string>>(text, { columns: true }).map(({ country_code }) => country_code);
      };
      expect(await countries("")).toContain(FORMULA);
      expect(await countries("&escape=spreadsheet")).toEqual(
        expect.arrayContaining([`'${FORMULA}`, "'+1", "Perú"]),
      );
      expect((await fetch(`${url}${address}escape=all`)).status).toBe(400);
    },
  );
});
