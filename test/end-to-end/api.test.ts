import { describe, expect, it } from "@jest/globals";
import { askForVoucher, startApi } from "../api/process.js";
import { EXECUTION_DATE, run } from "../pipeline/running.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { makeWorkspace } from "../workspace.js";

describe("the api", () => {
  it("answers from what was published last, and says so while nothing is", async () => {
    const { settings, environment } = await makeWorkspace();
    const api = startApi(environment);
    const ask = async () => {
      const response = await askForVoucher(api);
      return [response.status, await response.text()];
    };
    expect(await ask()).toEqual([503, expect.stringContaining("no-publication")]);
    await putVouchers(settings.zones.raw, times(2, voucher()));
    await run(settings);
    expect(await ask()).toEqual([200, '{"voucher_amount":2640}']);
    await putVouchers(
      settings.zones.raw,
      times(3, voucher({ voucher_amount: "3520" })),
      "vouchers/new.parquet",
    );
    await run(settings, EXECUTION_DATE);
    expect(await ask()).toEqual([200, '{"voucher_amount":3520}']);
  });
});
