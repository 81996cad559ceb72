import { createServer, type AddressInfo, type Socket } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { readConsumption, readTable } from "../consumption/reading.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { fingerprint, makeWorkspace, type Workspace } from "../workspace.js";
import { pipeline, start } from "./command.js";
import { largeRawZone } from "./large-zone.js";

/** Raw files with which a run is busy for longer than a second. */
let large: string;
beforeAll(async () => {
  large = await largeRawZone();
});

const silent = createServer();
const sockets: Socket[] = [];
silent.on("connection", (socket) => sockets.push(socket));
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  silent.close();
});

/** A workspace with a publication, whose next run is busy for a while. */
async function busyWorkspace(): Promise<Workspace> {
  const workspace = await makeWorkspace();
  await putVouchers(workspace.settings.zones.raw, times(3, voucher()));
  await pipeline(["-e", "2020-05-29"], workspace.environment);
  return {
    ...workspace,
    environment: { ...workspace.environment, RAW_ZONE: large, DUCKDB_THREADS: "1" },
  };
}

async function visible({ settings }: Workspace): Promise<unknown[]> {
  const { curated, provision } = settings.zones;
  return [await fingerprint(curated), await fingerprint(provision), await readConsumption(settings)];
}

async function waitForWriting({ settings }: Workspace): Promise<void> {
  const staging = path.join(settings.zones.curated, "_staging");
  while (!Object.keys(await fingerprint(staging)).some((file) => file.endsWith("data.parquet")))
    await sleep(20);
}

describe("a run with a time limit", () => {
  it("that takes longer exits with 4, names the current step and leaves everything as it was", async () => {
    const workspace = await busyWorkspace();
    const before = await visible(workspace);
    const ended = await pipeline(["-e", "2020-05-29", "--timeout", "1s"], workspace.environment);
    expect(ended).toMatchObject({ code: 4, stdout: "" });
    expect(ended.stderr).toMatch(
      /^error TIMED_OUT: timed out after 1 s \(--timeout\) during .*(raw|curated)\.vouchers.*; the run was cancelled; nothing was changed\. .*run it again\nreport: .*\.html\n$/,
    );
    expect(await visible(workspace)).toEqual(before);
    expect(
      await readTable(
        workspace.settings,
        "SELECT outcome, error_code FROM pipeline_runs ORDER BY started_at DESC LIMIT 1",
      ),
    ).toEqual([{ outcome: "failed", error_code: "TIMED_OUT" }]);
  });

  it("that waits for a silent server, and so cannot stop, is killed soon after", async () => {
    await new Promise<void>((listening) => silent.listen(0, "127.0.0.1", listening));
    const { port } = silent.address() as AddressInfo;
    const { environment } = await makeWorkspace();
    const begun = performance.now();
    const ended = await pipeline(["-e", "2020-05-29", "--timeout", "500ms", "--json"], {
      ...environment,
      CONSUMPTION_URL: `mysql://user:password@127.0.0.1:${port.toString()}/db`,
    });
    expect((performance.now() - begun) / 1_000).toBeLessThan(15);
    expect(ended).toMatchObject({ code: 4, stdout: "" });
    expect(JSON.parse(ended.stderr)).toEqual({
      error: {
        code: "TIMED_OUT",
        message: expect.stringMatching(
          /0\.5 s .* during opening the database; .*(was cancelled; nothing was changed|was killed)\./,
        ),
        exit_code: 4,
      },
    });
  });

  it("that finishes in time ends like any other", async () => {
    const { environment, settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, times(3, voucher()));
    const done = await pipeline(["-e", "2020-05-29", "--timeout", "10m"], environment);
    expect(done).toMatchObject({ code: 0, stderr: "" });
    expect(done.stdout).toContain("The voucher answers for 29 May 2020 are published.");
    const failed = await pipeline(["-e", "2018-01-01", "--timeout", "10m"], environment);
    expect(failed).toMatchObject({ code: 3, stdout: "" });
  });

  it("passes a signal on", async () => {
    const workspace = await busyWorkspace();
    const running = start(["-e", "2020-05-29", "--timeout", "10m"], workspace.environment);
    await waitForWriting(workspace);
    running.kill("SIGTERM");
    expect(await running.ended).toEqual({
      code: 143,
      stdout: "",
      stderr: expect.stringMatching(/^error CANCELLED: cancelled; nothing was changed\nreport: .*\.html\n$/),
    });
  });

  it("ends if the first process is killed", async () => {
    const workspace = await busyWorkspace();
    const running = start(["-e", "2020-05-29", "--timeout", "10m"], workspace.environment);
    await waitForWriting(workspace);
    running.kill("SIGKILL");
    // Its output closes when the last process that can write to it is gone.
    await running.ended;
    expect(await pipeline(["-e", "2020-05-29"], workspace.environment)).toMatchObject({ code: 0 });
    expect(
      await readTable(workspace.settings, "SELECT outcome FROM pipeline_runs ORDER BY started_at"),
    ).toEqual([{ outcome: "succeeded" }, { outcome: "killed" }, { outcome: "succeeded" }]);
  });

  it("that is not a duration is refused", async () => {
    const { environment } = await makeWorkspace();
    const { code, stderr } = await pipeline(["-e", "2020-05-29", "--timeout", "soon"], environment);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        "error INVALID_USAGE: --timeout soon is not a valid duration. Use for example 500ms, 90s, 10m or 2h\n",
    });
  });
});
