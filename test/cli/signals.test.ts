import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { readTable } from "../consumption/reading.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { until } from "../until.js";
import { fingerprint, makeFolder, makeWorkspace, PROJECT, type Workspace } from "../workspace.js";
import { MAIN, pipeline, start } from "./command.js";
import { onTerminal } from "./terminal.js";

const CTRL_C = "\u0003";
const NPM = "npm run --silent pipeline --";
const DIRECT = `"${process.execPath}" "${MAIN}"`;

/** Raw files with which a run of one thread is busy for seconds. */
let large: string;
beforeAll(async () => {
  large = await makeFolder();
  await pipeline(["sample", "--rows", "1000000", "--out", path.join(large, "vouchers")]);
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
  return { outcomes: (runs as { outcome: string }[]).map(({ outcome }) => outcome), left: left.map((found) => Object.keys(found)) };
}

const NOTHING_LEFT = { outcomes: ["cancelled"], left: [[], [], []] };

async function isWriting({ settings }: Workspace): Promise<boolean> {
  const files = Object.keys(await fingerprint(path.join(settings.zones.curated, "_staging")));
  return files.some((file) => file.endsWith("data.parquet"));
}

describe("Ctrl-C on a terminal", () => {
  it.each([
    ["without npm", DIRECT, "pipeline"],
    ["under npm, which sends it a second time", NPM, "npm run pipeline --"],
  ])("cancels a run cleanly and says how to go on, %s", async (_name, command, typed) => {
    const workspace = await busyWorkspace();
    const { shown, status } = await onTerminal(
      `${command} -e 2020-05-29`,
      { ...npmEnvironment, ...workspace.environment },
      [["curated.vouchers", CTRL_C]],
    );
    expect(status).toBe(130);
    expect(shown).toMatch(/error CANCELLED: cancelled; nothing was changed\nreport: .*\.html\n/);
    expect(shown.trimEnd().split("\n").at(-1)).toBe(`to go on, run: ${typed} -e 2020-05-29`);
    expect(await traces(workspace)).toEqual(NOTHING_LEFT);
  });

  it("cancels a backfill, and the command of the last line does the other dates", async () => {
    const workspace = await makeWorkspace();
    const { environment, settings } = workspace;
    await putVouchers(settings.zones.raw, times(3, voucher()));
    const options = ["backfill", "--from", "2020-05-20", "--to", "2020-05-29"];
    const { shown, status } = await onTerminal(
      `${NPM} ${options.join(" ")}`,
      { ...npmEnvironment, ...environment },
      [["2 of 10 dates", CTRL_C]],
    );
    expect(status).toBe(130);
    expect(shown).toMatch(/error CANCELLED: cancelled; \d+ of 10 dates are done/);
    const last = shown.trimEnd().split("\n").at(-1) ?? "";
    expect(last).toBe(`to go on, run: npm run pipeline -- ${options.join(" ")}`);
    const resumed = await pipeline(options, environment);
    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.stdout).toContain("went on with the backfill");
  });

  it("ends the process at once when it is pressed again", async () => {
    const workspace = await makeWorkspace();
    await putVouchers(workspace.settings.zones.raw, times(3, voucher()));
    // It stands still while it is cancelled, and so cannot end by itself.
    const environment = { ...workspace.environment, TEST_FAILPOINT: "own staging swept" };
    const { shown, status } = await onTerminal(
      `sh -c '${DIRECT} -e 2020-05-29 & trap "" INT; sleep 3; kill -CONT $!; wait $!; echo code $?'`,
      environment,
      [["failpoint own staging swept", CTRL_C + CTRL_C]],
    );
    expect({ shown, status }).toMatchObject({ shown: expect.stringContaining("code ") });
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
    await until(async () => (await traces(workspace)).outcomes[0] === "cancelled", 30);
    await until(async () => (await traces(workspace)).left.flat().length === 0, 30);
  });

  it("gives the exit code of SIGHUP to a run without one", async () => {
    const workspace = await busyWorkspace();
    const running = start(["-e", "2020-05-29"], workspace.environment);
    await until(() => isWriting(workspace), 60);
    running.kill("SIGHUP");
    expect(await running.ended).toMatchObject({ code: 129, stderr: expect.stringContaining("CANCELLED") });
    expect(await traces(workspace)).toEqual(NOTHING_LEFT);
  });
});

describe("npm that is sent a SIGTERM", () => {
  it("has the run end cleanly, and ends as it does", async () => {
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

  it("has the api end", async () => {
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

describe("a command that has nothing to undo", () => {
  it("ends at once when it is sent a signal", async () => {
    const { environment } = await makeWorkspace();
    const status = start(["status"], { ...environment, CONSUMPTION_URL: "mysql://user@127.0.0.1:9/db" });
    status.kill("SIGTERM");
    const { code } = await status.ended;
    expect([143, null]).toContain(code);
  });
});

describe("standard error that no one reads", () => {
  it("does not change how a run ends", async () => {
    const workspace = await makeWorkspace();
    const script = `{ ${DIRECT} -e 2020-05-29; echo $? >&3; } 3>&1 2>&1 >/dev/null | true`;
    const { stderr } = spawnSync("sh", ["-c", script.replace("3>&1", "3>&2")], {
      env: { PATH: process.env["PATH"], ...workspace.environment },
      encoding: "utf8",
    });
    expect(stderr).toBe("3\n");
  });
});
