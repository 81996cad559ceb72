import { spawnSync } from "node:child_process";
import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { makeFolder, PROJECT } from "../workspace.js";

function script(name: string, args: readonly string[], searched: string) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(PROJECT, "test/dependencies", name), ...args],
    { cwd: PROJECT, encoding: "utf8", env: { PATH: searched } },
  );
  return { status, said: stdout + stderr };
}

describe("the licences of the shipped packages", () => {
  const check = async (packages: object) => {
    const lock = path.join(await makeFolder(), "package-lock.json");
    await writeFile(lock, JSON.stringify({ lockfileVersion: 3, packages }));
    return script("licences.mjs", [lock], "");
  };

  it("are allowed, in this project", () => {
    expect(script("licences.mjs", [], "")).toMatchObject({
      status: 0,
      said: expect.stringContaining(" 0 faults"),
    });
  });

  it.each<[string, object]>([
    ["that is not on the list", { license: "GPL-3.0" }],
    ["that nobody knows", {}],
    ["of two, both of which count", { license: "MIT AND GPL-2.0" }],
    ["that is good, with a script at install", { license: "MIT", hasInstallScript: true }],
  ])("fail for one %s, by its name", async (_what, about) => {
    const packages = {
      "": {},
      "node_modules/a": { version: "1.0.0", license: "MIT" },
      "node_modules/a/node_modules/@some/one": { version: "2.0.0", ...about },
    };
    expect(await check(packages)).toMatchObject({
      status: 1,
      said: expect.stringContaining("@some/one@2.0.0"),
    });
  });

  it("matter for an optional peer and all that it needs, although npm counts them as development packages", async () => {
    const packages = {
      "": { peerDependencies: { peer: "1.0.0", absent: "1.0.0" } },
      "node_modules/peer": {
        version: "1.0.0",
        license: "MIT",
        dev: true,
        dependencies: { deep: "2", up: "1" },
      },
      "node_modules/peer/node_modules/deep": {
        ...{ version: "2.0.0", license: "GPL-3.0", dev: true },
        dependencies: { up: "1" },
      },
      "node_modules/deep": { version: "1.0.0", license: "AGPL-3.0", dev: true },
      "node_modules/up": { version: "1.0.0", license: "SSPL-1.0", dev: true, dependencies: { peer: "1" } },
    };
    const { status, said } = await check(packages);
    expect(status).toBe(1);
    expect(said).toContain("deep@2.0.0 has the licence GPL-3.0");
    expect(said).toContain("up@1.0.0 has the licence SSPL-1.0");
    expect(said).toContain("3 dependencies are shipped, 2 faults");
  });

  it("do not matter for development packages, and a choice of two needs one allowed licence", async () => {
    const packages = {
      "node_modules/a": { version: "1.0.0", license: "(GPL-2.0 OR MIT)" },
      "node_modules/b": { version: "1.0.0", license: "GPL-3.0", dev: true, hasInstallScript: true },
    };
    expect(await check(packages)).toMatchObject({ status: 0 });
  });
});

describe("the install scripts of packages", () => {
  it("are all denied, so that npm has no warning", async () => {
    const read = async (file: string) =>
      JSON.parse(await readFile(path.join(PROJECT, file), "utf8")) as Record<string, object>;
    const { packages = {} } = await read("package-lock.json");
    const { allowScripts } = await read("package.json");
    const withScripts = Object.entries(packages as Record<string, { hasInstallScript?: boolean }>)
      .filter(([place, { hasInstallScript }]) => place !== "" && hasInstallScript === true)
      .map(([place]) => [place.replace(/^.*node_modules\//, ""), false]);
    expect(allowScripts).toEqual(Object.fromEntries(withScripts));
  });
});

describe("the audit of the shipped packages", () => {
  const GOOD = { "node_modules/good": { version: "2.0.0", license: "MIT" } };
  const counts = { info: 0, low: 0, moderate: 3, high: 0, critical: 0, total: 3 };
  const nothing = { vulnerabilities: {}, metadata: { vulnerabilities: counts } };
  const LIST = [
    { id: "CVE-1", package: "good", fixed: "1.10.0", about: "one" },
    { id: "CVE-2", package: "bad", introduced: "2.0.0", fixed: "2.10.0", about: "two" },
    {
      id: "CVE-3",
      aliases: ["GHSA-3"],
      package: "odd",
      fixed: "3.0.0",
      about: "three",
      accepted: "not used",
    },
  ];

  /** Runs it with a command npm that says what it is told to. */
  const audit = async (answer: unknown, packages: object | "of the project" = GOOD) => {
    const folder = await makeFolder();
    const npm = path.join(folder, "npm");
    const said = typeof answer === "string" ? answer : JSON.stringify(answer);
    await writeFile(npm, `#!/bin/sh\ncat <<'ANSWER'\n${said}\nANSWER\nexit 1\n`);
    await chmod(npm, 0o755);
    const searched = `${folder}:${process.env["PATH"] ?? ""}`;
    if (packages === "of the project") return script("audit.mjs", [], searched);
    const [lock, list] = [path.join(folder, "package-lock.json"), path.join(folder, "advisories.json")];
    await writeFile(lock, JSON.stringify({ lockfileVersion: 3, packages }));
    await writeFile(list, JSON.stringify(LIST));
    return script("audit.mjs", [lock, list], searched);
  };
  const highOf = (...via: unknown[]) => ({
    vulnerabilities: { evil: { name: "evil", severity: "high", via } },
    metadata: { vulnerabilities: { ...counts, high: 1 } },
  });

  it("passes with no vulnerability that is high", async () => {
    expect(await audit(nothing)).toMatchObject({ status: 0 });
  });

  it.each([
    ["a registry without advisories", { message: "405 Method Not Allowed - POST https://registry.example/" }],
    ["no network", { message: "request failed, reason: getaddrinfo ENOTFOUND registry.example" }],
    ["no audit", { error: { code: "ENOAUDIT", summary: "not supported", detail: "" } }],
  ])("neither passes nor fails with %s, and reports that", async (_what, answer) => {
    const { status, said } = await audit(answer);
    expect(status).toBe(77);
    expect(said).toContain("not audited by the registry");
  });

  it("fails with a vulnerability that is high, and names it", async () => {
    expect(await audit(highOf({ url: "https://github.com/advisories/GHSA-9" }))).toMatchObject({
      status: 1,
      said: expect.stringContaining("evil (high)"),
    });
    // Also one that comes along with another.
    expect(await audit(highOf("other"))).toMatchObject({ status: 1 });
  });

  it("passes with one of a development package, but not with one of an optional peer", async () => {
    const packages = {
      "": { peerDependencies: { peer: "1.0.0" } },
      "node_modules/peer": { version: "1.0.0", dev: true },
      "node_modules/tool": { version: "1.0.0", dev: true },
    };
    const of = (place: string) => {
      const { vulnerabilities, metadata } = highOf("other");
      return { vulnerabilities: { evil: { ...vulnerabilities.evil, nodes: [place] } }, metadata };
    };
    expect(await audit(of("node_modules/tool"), packages)).toMatchObject({ status: 0 });
    expect(await audit(of("node_modules/peer"), packages)).toMatchObject({ status: 1 });
  });

  it("passes with one that is accepted by its name", async () => {
    expect(await audit(highOf({ url: "https://github.com/advisories/GHSA-3" }))).toMatchObject({ status: 0 });
  });

  it.each<[string, number, string]>([
    ["1.99.0", 0, "0 faults"],
    ["2.0.0", 1, "bad@2.0.0 has CVE-2"],
    ["2.9.9", 1, "bad@2.9.9 has CVE-2"],
    ["2.10.0", 0, "0 faults"],
  ])("compares the version %s with the list, even if nobody answers", async (version, faults, words) => {
    const packages = { ...GOOD, "node_modules/good/node_modules/bad": { version } };
    expect(await audit(nothing, packages)).toMatchObject({
      status: faults,
      said: expect.stringContaining(words),
    });
    expect(await audit({ message: "404 Not Found - POST" }, packages)).toMatchObject({
      status: faults === 0 ? 77 : 1,
    });
  });

  it("reports the accepted ones, and ignores development packages", async () => {
    const packages = {
      "node_modules/odd": { version: "2.0.0" },
      "node_modules/bad": { version: "2.0.0", dev: true },
    };
    expect(await audit(nothing, packages)).toMatchObject({
      status: 0,
      said: expect.stringContaining("accepted: odd@2.0.0 has CVE-3 (three), fixed in 3.0.0: not used"),
    });
  });

  it("finds nothing in this project by its own list", async () => {
    expect(await audit(nothing, "of the project")).toMatchObject({
      status: 0,
      said: expect.stringContaining(": 0 faults"),
    });
  });

  it.each(["", "{}", "<html>", JSON.stringify({ error: { code: "ENOLOCK", summary: "no lockfile" } })])(
    "fails with %j, which is not a response",
    async (answer) => {
      expect(await audit(answer)).toMatchObject({ status: 1 });
    },
  );
});
