import { cp, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { run, runOver } from "../../run/running.js";
import { makeFolder, makeWorkspace, SHIPPED_SQL } from "../../workspace.js";
import { serve } from "../serving.js";

const ASKED =
  "/v1/vouchers/most-used?country_code=Peru&segment_name=frequent_segment&total_orders=7&explain=true";

/** The SQL with other bounds of the segments by orders. */
async function otherSegments(): Promise<string> {
  const sqlDirectory = path.join(await makeFolder(), "sql");
  await cp(SHIPPED_SQL, sqlDirectory, { recursive: true });
  const file = path.join(sqlDirectory, "v1/segments.json");
  const segments = await readFile(file, "utf8");
  await writeFile(file, segments.replace('"name": "5-13", "up_to": 13', '"name": "5-8", "up_to": 8'));
  return sqlDirectory;
}

describe("the answers in memory", () => {
  it("use the segments of their own publication, whatever the newest SQL defines", async () => {
    const { settings } = await makeWorkspace({ sqlDirectory: await otherSegments() });
    await putVouchers(settings.zones.raw, times(2, voucher()));
    await run(settings);
    const { url } = await serve({ ...settings, sqlDirectory: SHIPPED_SQL });
    expect(await (await fetch(url + ASKED)).json()).toMatchObject({ segment: "5-8", voucher_amount: 2640 });
  });

  it("stay available while the database is away, show their age, and are not ready past a limit", async () => {
    const { settings } = await runOver(times(2, voucher()));
    let now = new Date();
    const { url, store } = await serve(settings, () => now);
    const status = async (address: string) => (await fetch(url + address)).status;
    expect(await status("/readyz")).toBe(200);

    const file = settings.consumptionUrl.slice("sqlite:".length);
    await rename(file, `${file}.away`);
    await expect(store.refresh()).rejects.toMatchObject({ code: "CONSUMPTION_UNAVAILABLE" });
    now = new Date(now.getTime() + 299_000);
    expect(await status("/readyz")).toBe(200);
    now = new Date(now.getTime() + 10_000);
    expect(await status("/readyz")).toBe(503);
    const answer = await fetch(url + ASKED);
    expect(await answer.json()).toMatchObject({ voucher_amount: 2640 });
    expect(Number(answer.headers.get("publication-confirmed-seconds"))).toBeGreaterThan(300);
    expect(store.status.failures).toBe(1);

    await rename(`${file}.away`, file);
    await store.refresh();
    now = new Date();
    expect(await status("/readyz")).toBe(200);
  });

  it("are one publication, even if dates are published again during the read", async () => {
    const { settings } = await makeWorkspace();
    const published = async (amount: number) => {
      const vouchers = Array.from({ length: 500 }, (_, index) =>
        voucher({ country_code: `Country ${index}`, voucher_amount: String(amount) }),
      );
      await putVouchers(settings.zones.raw, vouchers);
      await run(settings);
    };
    await published(1);
    const { store } = await serve(settings);
    const seen = new Set<number>();
    const over = new AbortController();
    const looking = (async () => {
      while (!over.signal.aborted) {
        await store.refresh();
        const amounts = new Set([...(await store.newest()).cells()].map(({ cell }) => cell.voucherAmount));
        expect(amounts.size).toBe(1);
        for (const amount of amounts) seen.add(amount);
        await new Promise((later) => setTimeout(later, 1));
      }
    })();
    for (const amount of [2, 3, 4, 5]) await published(amount);
    await store.refresh();
    over.abort();
    await looking;
    expect(seen).toContain(5);
  });
});
