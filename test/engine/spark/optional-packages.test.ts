import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "@jest/globals";
import { faultOfWork } from "../../../src/base/machine-faults.js";
import { optionalPackage } from "../../../src/engine/spark/optional-packages.js";
import { PROJECT } from "../../workspace.js";

const NAMES = ["hive-driver", "kerberos"] as const;

it("loads a package that is there", async () => {
  expect(await optionalPackage("kerberos", () => Promise.resolve("loaded"))).toBe("loaded");
});

it.each(NAMES)("names the command that installs %s in the version of package.json", async (name) => {
  const { peerDependencies, peerDependenciesMeta } = JSON.parse(
    await readFile(path.join(PROJECT, "package.json"), "utf8"),
  ) as {
    readonly peerDependencies: Record<string, string>;
    readonly peerDependenciesMeta: Record<string, { readonly optional: boolean }>;
  };
  expect(peerDependenciesMeta[name]).toEqual({ optional: true });
  const missing = failure("ERR_MODULE_NOT_FOUND", `Cannot find package '${name}' imported from dist/x.js`);
  const version = peerDependencies[name]?.replace(/^\^([0-9]+)\..*/, "$1") ?? "";
  await expect(optionalPackage(name, () => Promise.reject(missing))).rejects.toMatchObject({
    code: "ENGINE_NOT_USABLE",
    kind: "usage",
    message: `ENGINE needs the package ${name}, which is not installed; run: npm install ${name}@${version}`,
  });
});

it.each([
  ["MODULE_NOT_FOUND", "Cannot find module '../build/Debug/kerberos.node'"],
  ["ERR_DLOPEN_FAILED", "kerberos.node: invalid ELF header"],
])("tells a package without its binary from one that is not installed: %s", async (code, said) => {
  const error = await optionalPackage("kerberos", () => Promise.reject(failure(code, said))).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({
    message: `ENGINE needs the package kerberos, which cannot be loaded: ${said}; run: npm install kerberos@7`,
  });
  // It is not taken for a fault of the pipeline's own installation.
  expect(faultOfWork(new AbortController().signal, error)).toBe(error);
});

it("passes any other fault on", async () => {
  const fault = failure("EMFILE", "too many open files");
  await expect(optionalPackage("kerberos", () => Promise.reject(fault))).rejects.toBe(fault);
});

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
