import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Settings } from "../../src/settings/settings.js";
import { pipeline } from "../cli/command.js";
import { readTable } from "../consumption/reading.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { run, runOver } from "../run/running.js";
import { getFile, listFiles } from "../storage.js";
import type { Workspace } from "../workspace.js";

const SECRET = "T0/Unmistakable%2Fsecret?sig=more";

/** A chat that keeps what it is told. */
let chat: Server;
let told: string[];
/** With what it answers, in turn; 200 when these are used up, and nothing at all for 0. */
let answers: number[];
let workspace: Workspace;
let settings: Settings;

beforeEach(async () => {
  [told, answers] = [[], []];
  chat = createServer((request, response) => {
    request.setEncoding("utf8");
    let body = "";
    request.on("data", (text: string) => (body += text));
    request.on("end", () => {
      const status = answers.shift() ?? 200;
      if (status === 200) told.push((JSON.parse(body) as { text: string }).text);
      if (status !== 0) response.writeHead(status, { Location: "/elsewhere" }).end("ok");
    });
  });
  await new Promise<void>((listening) => chat.listen(0, "127.0.0.1", listening));
  workspace = await runOver([...times(3, voucher()), voucher({ total_orders: null })], "2020-05-28");
  settings = { ...workspace.settings, notifyUrl: hook() };
});
afterEach(() => {
  chat.closeAllConnections();
  chat.close();
});

function hook(): string {
  return `http://127.0.0.1:${(chat.address() as AddressInfo).port.toString()}/${SECRET}`;
}

/** A run that fails because rows are rejected, or because there are no raw files. */
async function fail(how: "AUDIT_FAILED" | "RAW_ZONE_EMPTY", date?: string): Promise<void> {
  const { zones } = settings;
  const failing =
    how === "AUDIT_FAILED"
      ? { ...settings, maxRejectedShare: "0" }
      : { ...settings, zones: { ...zones, raw: `${zones.raw}/none` } };
  await expect(run(failing, date)).rejects.toMatchObject({ code: how });
}

describe("a chat", () => {
  it("gets a failure in five sentences, once, however often the run is tried again", async () => {
    await fail("AUDIT_FAILED");
    await fail("AUDIT_FAILED");
    await fail("AUDIT_FAILED");
    expect(told).toHaveLength(1);
    expect(told[0]?.split("\n").slice(0, 3)).toEqual([
      "Vouchers: the run for 29 May 2020 failed (AUDIT_FAILED).",
      "The run for 29 May 2020 failed and published nothing. Customers still get the previous vouchers.",
      "3 of 4 rows are used; 1 (25%) was rejected because a value is missing or invalid, most often for total orders missing, and none came after that date.",
    ]);
    expect(told[0]).toMatch(/\nRun 2020-05-29T000000-[0-9a-f]{12}, report: .*\.html$/);
    await fail("RAW_ZONE_EMPTY");
    await fail("RAW_ZONE_EMPTY", "2020-05-30");
    expect(told.map((text) => text.split("\n")[0])).toEqual([
      "Vouchers: the run for 29 May 2020 failed (AUDIT_FAILED).",
      "Vouchers: the run for 29 May 2020 failed (RAW_ZONE_EMPTY).",
      "Vouchers: the run for 30 May 2020 failed (RAW_ZONE_EMPTY).",
    ]);
  });

  it("gets the first success after a failure, of any date, and no other", async () => {
    await run(settings);
    await fail("AUDIT_FAILED", "2020-05-30");
    told = [];
    await run(settings);
    await run(settings, "2020-05-30");
    expect(told).toEqual([expect.stringMatching(/^Vouchers: runs succeed again\.\n/)]);
  });

  it("gets changed answers, once, without a name that notifies others", async () => {
    await run(settings);
    expect(told).toEqual([]);
    await putVouchers(settings.zones.raw, [
      ...times(3, voucher({ voucher_amount: "70" })),
      voucher({ country_code: "<!channel>" }),
    ]);
    await run(settings);
    await run(settings);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^Vouchers: answers changed\.\n/);
    expect(told[0]).toContain("\n• Peru · frequent 5-13: 2640 → 70, likely (84.4%), on 3 vouchers\n");
    expect(told[0]).toContain(
      "\n• &lt;!channel&gt; · frequent 5-13: no answer → 2640, toss-up (50%), on 1 voucher\n",
    );
  });

  it("does not get answers of a date that is not the newest: readers do not see them", async () => {
    await putVouchers(settings.zones.raw, times(3, voucher({ voucher_amount: "70" })));
    await run(settings, "2020-05-29");
    expect(told).toHaveLength(1);
    await putVouchers(settings.zones.raw, times(3, voucher({ voucher_amount: "7" })));
    await run(settings, "2020-05-28");
    expect(told).toHaveLength(1);
  });

  it("that fails gets the message again at once, and from the next run if that fails, too", async () => {
    answers = [500];
    await fail("AUDIT_FAILED");
    expect(told).toHaveLength(1);
    answers = [503, 307];
    await fail("RAW_ZONE_EMPTY");
    expect(told).toHaveLength(1);
    await fail("RAW_ZONE_EMPTY");
    expect(told).toHaveLength(2);
  });

  it("that is silent is a warning, delays a run for five seconds, and its address stays secret", async () => {
    answers = [0, 0];
    const args = ["-e", "2020-05-29", "--notify", hook()];
    const begun = performance.now();
    const { code, stdout, stderr } = await pipeline(args, {
      ...workspace.environment,
      MAX_REJECTED_SHARE: "0",
    });
    expect((performance.now() - begun) / 1_000).toBeLessThan(20);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^warning: the notice of the run: the address of --notify or NOTIFY_URL did not answer for 2\.5 s; no notification was sent\nerror AUDIT_FAILED: /,
    );
    const runs = JSON.stringify(await readTable(settings, "SELECT * FROM pipeline_runs"));
    const { runReports } = settings;
    const reports = await Promise.all((await listFiles(runReports)).map((name) => getFile(runReports, name)));
    expect(reports).toHaveLength(4);
    for (const text of [stdout, stderr, runs, ...reports.map(String)]) {
      for (const part of ["Unmistakable", "sig=more"]) expect(text).not.toContain(part);
    }
  });

  it("that is not reachable is a warning, with the reason", async () => {
    const gone = hook();
    await new Promise((closed) => chat.close(closed));
    const failed = await pipeline(["-e", "2020-05-29"], {
      ...workspace.environment,
      RAW_ZONE: path.posix.join(workspace.folder, "none"),
      NOTIFY_URL: gone,
    });
    expect(failed.stderr).toContain("NOTIFY_URL is not reachable (ECONNREFUSED); no notification was sent\n");
    expect(failed.stderr).not.toContain("Unmistakable");
  });

  it.each(["ftp://host/Unmistakable", "http://me:Unmistakable@host", "Unmistakable"])(
    "cannot have the address %s, and the message does not repeat it",
    async (address) => {
      for (const [args, environment] of [
        [["--notify", address], {}],
        [[], { NOTIFY_URL: address }],
      ] as const) {
        const { code, stderr } = await pipeline(["-e", "2020-05-29", ...args], {
          ...workspace.environment,
          ...environment,
        });
        expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/notify|NOTIFY_URL/) });
        expect(stderr).not.toContain("Unmistakable");
      }
    },
  );
});
