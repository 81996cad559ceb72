import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { readTable } from "../consumption/reading.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { until } from "../until.js";
import { fingerprint, makeWorkspace, PROJECT, type Workspace } from "../workspace.js";
import { MAIN, pipeline, start, type Ended } from "./command.js";
import { largeRawZone } from "./large-zone.js";
import { onTerminal } from "./terminal.js";

const CTRL_C = "\u0003";
const NPM = "npm run --silent pipeline --";
const DIRECT = `"${process.execPath}" "${MAIN}"`;

/** Raw files with which a run of one thread is busy for a while. */
let large: string;
beforeAll(async () => {
  large = await largeRawZone(25);
});

/** What npm itself wants to know. */
const npmEnvironment = {
  PATH: process.env["PATH"] ?? "",
  HOME: process.env["HOME"] ?? "",
  npm_config_update_notifier: "false",
};

/** A workspace whose next run is busy for a while. */
async function busyWorkspace(): Promise<Workspace> {
  const workspace = await makeWorkspace();
  const environment = { ...workspace.environment, RAW_ZONE: large, DUCKDB_THREADS: "1" };
  return { ...workspace, environment };
}

/** How the runs of a workspace ended, and what they left beside reports. */
async function traces({ settings }: Workspace) {
  const { curated, provision } = settings.zones;
  const runs = await readTable(settings, "SELECT outcome FROM pipeline_runs ORDER BY started_at");
  const files = [curated, provision, settings.duckdb.tempDirectory];
  const left = await Promise.all(files.map(fingerprint));
  return {
    outcomes: (runs as { outcome: string }[]).map(({ outcome }) => outcome),
    left: left.map((found) => Object.keys(found)),
  };
}

const NOTHING_LEFT = { outcomes: ["cancelled"], left: [[], [], []] };

async function isWriting({ settings }: Workspace): Promise<boolean> {
  const files = Object.keys(await fingerprint(path.join(settings.zones.curated, "_staging")));
  return files.some((file) => file.endsWith("data.parquet"));
}

describe("Ctrl-C on a terminal", () => {
  it.each([
    ["without npm", DIRECT],
    ["under npm, which sends it a second time", NPM],
  ])("cancels a run cleanly and prints how to continue, %s", async (_name, command) => {
    const workspace = await busyWorkspace();
    const { shown, status } = await onTerminal(
      `${command} -e 2020-05-29`,
      { ...npmEnvironment, ...workspace.environment },
      [["curated.vouchers", CTRL_C]],
    );
    expect(status).toBe(130);
    expect(shown).toMatch(/error CANCELLED: cancelled; nothing was changed\nreport: .*\.html\n/);
    expect(shown.trimEnd().split("\n").at(-1)).toBe(`to continue, run: npx pipeline -e 2020-05-29`);
    expect(await traces(workspace)).toEqual(NOTHING_LEFT);
  });

  it("cancels a backfill, and the command of the last line runs the other dates", async () => {
    const workspace = await makeWorkspace();
    const { environment, settings } = workspace;
    await putVouchers(settings.zones.raw, times(3, voucher()));
    const options = ["backfill", "--from", "2020-05-24", "--to", "2020-05-29"];
    const { shown, status } = await onTerminal(
      `${NPM} ${options.join(" ")}`,
      { ...npmEnvironment, ...environment },
      [["2 of 6 dates", CTRL_C]],
    );
    expect(status).toBe(130);
    expect(shown).toMatch(/error CANCELLED: cancelled; \d+ of 6 dates are done/);
    const last = shown.trimEnd().split("\n").at(-1) ?? "";
    expect(last).toBe(`to continue, run: npx pipeline ${options.join(" ")}`);
    const resumed = await pipeline(options, environment);
    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.stdout).toContain("resumed the backfill");
  });
});

describe("a terminal that is closed", () => {
  it("cancels the run", async () => {
    const workspace = await busyWorkspace();
    const terminal = spawn("script", ["--quiet", "--command", `exec ${DIRECT} -e 2020-05-29`, "/dev/null"], {
      env: { PATH: process.env["PATH"], TERM: "xterm", ...workspace.environment },
      stdio: ["pipe", "ignore", "ignore"],
    });
    await until(() => isWriting(workspace), 60);
    terminal.kill("SIGKILL");
    const running = `WHERE outcome = 'running'`;
    await until(async () => {
      const [run] = await readTable(workspace.settings, `SELECT outcome FROM pipeline_runs ${running}`);
      return run === undefined;
    }, 30);
    await sleep(1_000);
    expect(await traces(workspace)).toEqual(NOTHING_LEFT);
  });

  it("sets the exit code of SIGHUP without a run", async () => {
    const workspace = await busyWorkspace();
    const running = start(["-e", "2020-05-29"], workspace.environment);
    await until(() => isWriting(workspace), 60);
    running.kill("SIGHUP");
    expect(await running.ended).toMatchObject({ code: 129, stderr: expect.stringContaining("CANCELLED") });
    expect(await traces(workspace)).toEqual(NOTHING_LEFT);
  });
});

describe("npm after a SIGTERM", () => {
  it("lets the run end cleanly, and ends the same way", async () => {
    const workspace = await busyWorkspace();
    const npm = spawn("npm", ["run", "--silent", "pipeline", "--", "-e", "2020-05-29"], {
      cwd: PROJECT,
      env: { ...npmEnvironment, ...workspace.environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    npm.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    await until(() => isWriting(workspace), 60);
    npm.kill("SIGTERM");
    // Its output closes when the last process that can write to it is gone.
    expect(await once(npm, "close")).toEqual([143, null]);
    expect(stderr).toMatch(/^error CANCELLED: cancelled; nothing was changed\nreport: .*\.html\n$/);
    expect(await traces(workspace)).toEqual(NOTHING_LEFT);
  });

  it("lets the api end", async () => {
    const { environment } = await makeWorkspace();
    const npm = spawn("npm", ["run", "--silent", "api"], {
      cwd: PROJECT,
      env: { ...npmEnvironment, ...environment },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(npm.stdout, "data");
    npm.kill("SIGTERM");
    expect(await once(npm, "close")).toEqual([0, null]);
  });
});

describe("a server that accepts connections and is silent", () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket));
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  /** Starts a command, and returns when it waits for the server. */
  async function waiting(args: readonly string[]) {
    if (!silent.listening) await once(silent.listen(0, "127.0.0.1"), "listening");
    const { port } = silent.address() as AddressInfo;
    const { environment } = await makeWorkspace();
    const url = `mysql://user:password@127.0.0.1:${port.toString()}/db`;
    const connected = once(silent, "connection");
    const command = start(args, { ...environment, CONSUMPTION_URL: url });
    await connected;
    await sleep(200);
    return command;
  }

  async function timed(ended: Promise<Ended>) {
    const begun = performance.now();
    const { code, stderr } = await ended;
    return { code, stderr, seconds: (performance.now() - begun) / 1_000 };
  }

  it("lets a run and a backfill end within seconds of SIGTERM", async () => {
    const run = await waiting(["-e", "2020-05-29"]);
    const backfill = await waiting(["backfill", "--from", "2020-05-28", "--to", "2020-05-29"]);
    for (const command of [run, backfill]) command.kill("SIGTERM");
    for (const ended of await Promise.all([run, backfill].map((command) => timed(command.ended)))) {
      expect(ended).toMatchObject({
        code: 143,
        stderr: "error CANCELLED: cancelled; nothing was changed\n",
      });
      expect(ended.seconds).toBeLessThan(9);
    }
  });

  it("does not delay a run after a second signal", async () => {
    const command = await waiting(["-e", "2020-05-29"]);
    command.kill("SIGINT");
    await sleep(200);
    command.kill("SIGINT");
    const { code, stderr, seconds } = await timed(command.ended);
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
    expect(seconds).toBeLessThan(1);
  });

  it("does not delay a command that has nothing to undo", async () => {
    const command = await waiting(["status"]);
    command.kill("SIGTERM");
    const { code, stderr, seconds } = await timed(command.ended);
    expect({ code, stderr }).toEqual({
      code: 143,
      stderr: "error CANCELLED: cancelled before it was finished. Run it again\n",
    });
    expect(seconds).toBeLessThan(1);
  });
});

describe("standard error without a reader", () => {
  it("does not change the end of a run", async () => {
    const workspace = await makeWorkspace();
    const script = `{ ${DIRECT} -e 2020-05-29; echo $? >&3; } 3>&2 2>&1 >/dev/null | true`;
    const { stderr } = spawnSync("sh", ["-c", script], {
      env: { PATH: process.env["PATH"], ...workspace.environment },
      encoding: "utf8",
    });
    expect(stderr).toBe("3\n");
  });
});
