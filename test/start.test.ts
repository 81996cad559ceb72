import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { transform } from "esbuild";
import { PipelineError } from "../src/base/errors.js";
import { machineFault } from "../src/base/machine-faults.js";
import { MAIN, pipeline, start } from "./cli/command.js";
import { putVouchers, voucher } from "./raw-vouchers.js";
import { fingerprint, makeFolder, makeWorkspace, PROJECT } from "./workspace.js";

const API_MAIN = path.join(PROJECT, "dist/api/main.js");

describe.each([
  ["the command line", MAIN],
  ["the api", API_MAIN],
])("%s on a Node that is too old", (_name, program) => {
  it("explains it in one line and ends with 2", async () => {
    const old = "Object.defineProperty(process, 'versions', { value: { node: '18.20.8' } })";
    const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(old)}` };
    expect(await start([], environment, undefined, program).ended).toEqual({
      code: 2,
      stdout: "",
      stderr: "error MACHINE_NOT_USABLE: Node 18.20.8 is too old; install Node 20.19 or newer\n",
    });
  });

  it("has only syntax that Node 12 understands", async () => {
    const text = await readFile(program, "utf8");
    const options = { format: "esm", minifyWhitespace: true } as const;
    const forOld = await transform(text, { ...options, target: "node12.20" });
    const asItIs = await transform(text, { ...options, target: "esnext" });
    expect(forOld.code).toBe(asItIs.code);
  });
});

describe("a Node that can keep its compiled code", () => {
  /** What the program asks of such a Node, in a home. */
  const askedIn = async (home: string | undefined) => {
    const newer = [
      'import module from "node:module"; import os from "node:os";',
      'module.enableCompileCache = (folder) => process.stderr.write("keeps in " + folder);',
      home === undefined ? 'os.homedir = () => { throw new Error("no home"); };' : "",
    ].join("");
    const environment = {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(newer)}`,
      HOME: home ?? "",
    };
    return start(["--version"], environment, undefined, MAIN).ended;
  };

  it("uses a folder in the home of the user, and creates it", async () => {
    const home = await makeFolder();
    const folder = path.join(home, ".cache/voucher-pipeline/compiled");
    expect(await askedIn(home)).toMatchObject({ code: 0, stderr: `keeps in ${folder}` });
    expect(existsSync(folder)).toBe(true);
  });

  it.each([
    ["has no home", undefined],
    ["has an empty home", ""],
    ["cannot write in it", "/proc"],
  ])("uses no folder if the user %s", async (_why, home) => {
    expect(await askedIn(home)).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("an installation that is incomplete", () => {
  /** A copy of the project without packages. */
  let folder: string;
  beforeAll(async () => {
    folder = await makeFolder();
    for (const name of ["dist", "sql", "package.json"])
      await cp(path.join(PROJECT, name), path.join(folder, name), { recursive: true });
  });
  const program = (name: string) => path.join(folder, "dist", name, "main.js");
  const isIncomplete = (why: string) =>
    `error MACHINE_NOT_USABLE: this installation is incomplete or made for another machine: ${why}; ` +
    "run 'npm ci', which also builds the programs\n";

  it.each([
    ["cli", ["-e", "2020-05-29"], "module '@duckdb/node-bindings'"],
    ["cli", ["status"], "package '@photostructure/sqlite'"],
    ["api", [], "package 'pino'"],
  ])("is explained in one line that names the missing package: %s %j", async (name, args, missing) => {
    expect(await start(args, {}, undefined, program(name)).ended).toEqual({
      code: 2,
      stdout: "",
      stderr: isIncomplete(`Cannot find ${missing}`),
    });
  });

  it("is explained as JSON to machines", async () => {
    const { code, stderr } = await start(["status", "--json"], {}, undefined, program("cli")).ended;
    expect({ code, error: JSON.parse(stderr) as unknown }).toMatchObject({
      code: 2,
      error: { error: { code: "MACHINE_NOT_USABLE", exit_code: 2 } },
    });
  });

  it.each([
    ["of another machine", "ELF", /: \S+\.node: .*; run 'npm ci', .*\n$/],
    ["missing", undefined, /: No native build .*; run 'npm ci', .*\n$/],
  ])("is explained if native code is %s", async (_name, content, message) => {
    const copy = await makeFolder();
    for (const name of ["dist", "package.json"])
      await cp(path.join(folder, name), path.join(copy, name), { recursive: true });
    const packages = path.join(copy, "node_modules");
    const sqlite = path.join(packages, "@photostructure/sqlite");
    for (const name of ["package.json", "dist"])
      await cp(path.join(PROJECT, "node_modules/@photostructure/sqlite", name), path.join(sqlite, name), {
        recursive: true,
      });
    await symlink(path.join(PROJECT, "node_modules/node-gyp-build"), path.join(packages, "node-gyp-build"));
    if (content !== undefined) {
      const built = path.join(sqlite, "prebuilds", `${process.platform}-${process.arch}`);
      await mkdir(built, { recursive: true });
      await writeFile(path.join(built, "node.napi.node"), content);
    }
    const { code, stderr } = await start(["status"], {}, undefined, path.join(copy, "dist/cli/main.js"))
      .ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error MACHINE_NOT_USABLE: this installation is incomplete .*\n$/);
    expect(stderr).toMatch(message);
  });

  it("is explained by npm if the programs were never built", async () => {
    const fresh = await makeFolder();
    for (const name of ["package.json", "start.sh"])
      await cp(path.join(PROJECT, name), path.join(fresh, name));
    for (const script of ["pipeline", "api"]) {
      const { status, stderr } = spawnSync("npm", ["run", "--silent", script], {
        cwd: fresh,
        env: { PATH: process.env["PATH"], npm_config_update_notifier: "false" },
        encoding: "utf8",
      });
      expect({ status, stderr }).toEqual({
        status: 2,
        stderr: `error MACHINE_NOT_USABLE: the programs are not built; run 'npm ci' in ${fresh}, which also builds them\n`,
      });
    }
  });
});

describe("a limit of the process", () => {
  it("for open files is in the message, before anything is made", async () => {
    const { environment, settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher()]);
    const limited = `ulimit -n 64; exec "${process.execPath}" "${MAIN}" -e 2020-05-29`;
    const { status, stderr } = spawnSync("sh", ["-c", limited], {
      env: { PATH: process.env["PATH"], ...environment },
      encoding: "utf8",
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^error MACHINE_NOT_USABLE: this process may open only 64 files \(ulimit -n\): EMFILE: .*; raise the limit .*\n$/,
    );
    expect(await fingerprint(settings.zones.curated)).toEqual({});
    expect(await pipeline(["-e", "2020-05-29"], environment)).toMatchObject({ code: 0 });
  });

  it.each([
    [
      "files, as DuckDB says it",
      'IO Error: Cannot open file "/raw/a.parquet": Too many open files',
      /ulimit -n/,
    ],
    ["memory, as DuckDB says it", "Out of Memory Error: Allocation failure", /ulimit -v/],
    [
      "memory, while DuckDB sorts",
      "Out of Memory Error: Failed to allocate block of 9 bytes (bad allocation)",
      /ulimit -v/,
    ],
    ["memory, as C++ says it", "std::bad_alloc", /ulimit -v/],
    ["processes", "spawn /usr/bin/node EAGAIN", /ulimit -u/],
    ["threads", "IO Error: Could not start thread: Resource temporarily unavailable", /ulimit -u/],
  ])("for %s is in the message", (_name, message, named) => {
    const fault = machineFault(new Error("a file cannot be read", { cause: new Error(message) }));
    expect(fault).toMatchObject({ code: "MACHINE_NOT_USABLE", message: expect.stringMatching(named) });
  });

  it.each([
    "Out of Memory Error: could not allocate block of size 256.0 KiB (99.8 MiB/100.0 MiB used)",
    'Conversion Error: Could not convert string "std::bad_alloc" to INT32',
    'Conversion Error: Could not convert string "Too many open files" to INT32',
  ])("is not confused with another error: %s", (message) => {
    expect(machineFault(new Error(message))).toBeUndefined();
    expect(machineFault(new PipelineError("MODEL_FAILED", "std::bad_alloc"))).toBeUndefined();
  });
});
