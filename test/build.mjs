import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { build as bundle } from "esbuild";
import { copyShippedSql } from "./shipped-sql.mjs";

const project = path.dirname(import.meta.dirname);
const made = ["dist", "dist-test"].map((folder) => path.join(project, folder));
const madeFrom = [
  ...["src", "sql", "build.mjs", "package.json", "package-lock.json"],
  ...["test/build.mjs", "test/shipped-sql.mjs", "test/crash/commit-process.ts"],
].map((name) => path.join(project, name));
const state = path.join(project, "node_modules/.cache/built-for-tests.txt");

/**
 * Tests of the commands run what is built, once and before all of them: it must not change under them. They run what ships, except for
 * a process that a test stops at a failpoint: that one runs the bundle in dist-test/.
 */
export async function buildForTests() {
  if (existsSync(state) && readFileSync(state, "utf8") === fingerprint()) return;
  rmSync(state, { force: true });
  await Promise.all([
    runBuild(),
    runBuild("--failpoints").then(() => {
      copyShippedSql(path.join(project, "sql"), path.join(project, "dist-test/sql"));
      return bundlePackages();
    }),
  ]);
  mkdirSync(path.dirname(state), { recursive: true });
  writeFileSync(state, fingerprint());
}

function runBuild(...options) {
  return promisify(execFile)(process.execPath, ["build.mjs", ...options], { cwd: project });
}

/** Jest loads the modules again for each test file: in three files instead of 540 they load in a third less time. */
async function bundlePackages() {
  const shared = { bundle: true, platform: "node", target: "node20.19", logLevel: "warning" };
  const outdir = path.join(project, "dist-test/packages");
  const names = ["kysely", "zod", "zod/v4", "zod/v4/core"];
  await bundle({
    ...shared,
    entryPoints: Object.fromEntries(names.map((name) => [name, name])),
    outdir,
    splitting: true,
    format: "esm",
  });
  await bundle({
    ...shared,
    entryPoints: { "@duckdb/node-api": "@duckdb/node-api" },
    outdir,
    outExtension: { ".js": ".cjs" },
    external: ["@duckdb/node-bindings"],
    format: "cjs",
  });
}

/** Tells every byte that goes into what is built, and that came out of it. Each version of Node builds the same. */
function fingerprint() {
  const hash = createHash("sha256");
  for (const file of [...madeFrom, ...made].flatMap(filesIn))
    hash.update(`${file}\0`).update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

function filesIn(place) {
  if (!existsSync(place)) return [];
  if (statSync(place).isFile()) return [place];
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
