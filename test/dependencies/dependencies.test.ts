import { spawnSync } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
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

describe("the licences of what is shipped", () => {
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

  it("do not matter of what is for development alone, and one of two can be chosen", async () => {
    const packages = {
      "node_modules/a": { version: "1.0.0", license: "(GPL-2.0 OR MIT)" },
      "node_modules/b": { version: "1.0.0", license: "GPL-3.0", dev: true, hasInstallScript: true },
    };
    expect(await check(packages)).toMatchObject({ status: 0 });
  });
});

describe("the audit of what is shipped", () => {
  /** Runs it with a command npm that says what it is told to. */
  const audit = async (answer: string) => {
    const folder = await makeFolder();
    const npm = path.join(folder, "npm");
    await writeFile(npm, `#!/bin/sh\ncat <<'ANSWER'\n${answer}\nANSWER\nexit 1\n`);
    await chmod(npm, 0o755);
    return script("audit.mjs", [], `${folder}:${process.env["PATH"] ?? ""}`);
  };
  const counts = { info: 0, low: 0, moderate: 3, high: 0, critical: 0, total: 3 };
  const vulnerabilities = { evil: { name: "evil", severity: "high" } };

  it.each([
    ["no vulnerability that is high", { vulnerabilities: {}, metadata: { vulnerabilities: counts } }],
    ["a registry without advisories", { message: "405 Method Not Allowed - POST https://registry.example/" }],
    ["no network", { message: "request failed, reason: getaddrinfo ENOTFOUND registry.example" }],
    ["no audit", { error: { code: "ENOAUDIT", summary: "not supported", detail: "" } }],
  ])("passes with %s", async (_what, answer) => {
    expect(await audit(JSON.stringify(answer))).toMatchObject({ status: 0 });
  });

  it("says that it was not made where nobody answers", async () => {
    const { said } = await audit(JSON.stringify({ message: "404 Not Found - POST" }));
    expect(said).toContain("not audited");
  });

  it("fails with a vulnerability that is high, and names it", async () => {
    const metadata = { vulnerabilities: { ...counts, high: 1 } };
    expect(await audit(JSON.stringify({ vulnerabilities, metadata }))).toMatchObject({
      status: 1,
      said: expect.stringContaining("evil (high)"),
    });
  });

  it.each(["", "{}", "<html>", JSON.stringify({ error: { code: "ENOLOCK", summary: "no lockfile" } })])(
    "fails with %j, which is no answer",
    async (answer) => {
      expect(await audit(answer)).toMatchObject({ status: 1 });
    },
  );
});
