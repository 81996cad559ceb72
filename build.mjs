// Bundles src/ into dist/. A bundle starts in a third of the time that the same modules take one file at a time.
// With --failpoints it bundles only the programs, with the points at which tests stop them, into dist-test/; beside them one of a test.
import { cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

// Some bundled packages are CommonJS and ask for Node's own modules with require().
const requireFor = {
  js: 'import { createRequire as requireFor } from "node:module"; const require = requireFor(import.meta.url);',
};

const hasFailpoints = process.argv.includes("--failpoints");
const outdir = hasFailpoints ? "dist-test" : "dist";

/** Leaves out where tests stop a process. What ships knows neither the points nor the variable that arms one. */
const withoutFailpoints = {
  name: "without failpoints",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.tsx?$/ }, async ({ path: file }) => {
      const text = await readFile(file, "utf8");
      const contents = text
        .replace(/^import \{ failpoint \} from ".*";\n/m, "")
        .replaceAll(/^ *failpoint\(.*\);\n/gm, "");
      if (/failpoint/i.test(contents))
        throw new Error(`${file}: a failpoint is no statement on its own line`);
      return { contents, loader: file.endsWith("x") ? "tsx" : "ts" };
    });
  },
};

await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: {
    "cli/program": "src/cli/main.ts",
    "api/program": "src/api/main.ts",
    ...(hasFailpoints && { "commit-process": "test/crash/commit-process.ts" }),
  },
  outdir,
  plugins: hasFailpoints ? [] : [withoutFailpoints],
  bundle: true,
  splitting: true,
  platform: "node",
  target: "node20.19",
  // Of packages that come in both forms the modules: what is not used of them is left out.
  mainFields: ["module", "main"],
  format: "esm",
  // Native binaries are found by their own place in node_modules. The servers start once, and stay as they are.
  external: [
    "@duckdb/node-bindings",
    "@photostructure/sqlite",
    "mysql2",
    // Both are optional: only a Spark needs them.
    "hive-driver",
    "kerberos",
    "express",
    "pino",
    "compression",
    "cors",
    "express-rate-limit",
    "prom-client",
  ],
  alias: { "string-width": "./src/base/text-width.ts" },
  banner: requireFor,
  logLevel: "warning",
});

// What people start. Also a Node that is too old for the rest reads it, and says so.
await build({
  entryPoints: { "cli/main": "src/base/start.ts", "api/main": "src/base/start.ts" },
  outdir,
  bundle: true,
  platform: "node",
  target: "node12.20",
  format: "esm",
  logLevel: "warning",
});

// The tests that stop a program find all else in dist/.
if (hasFailpoints) process.exit();

// What the pages load.
await build({
  entryPoints: {
    "answer-dialog": "src/api/pages/browser/answer-dialog.ts",
    style: "src/api/pages/pages.css",
  },
  outdir: "dist/api/pages",
  bundle: true,
  splitting: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: ["chrome123", "firefox121", "safari17.5"],
  logLevel: "warning",
});
await cp("src/api/pages/icon.svg", "dist/api/pages/icon.svg");

// What the pages of the data dictionary have beside them.
await build({
  entryPoints: ["src/dictionary/style.css"],
  outdir: "dist/dictionary",
  bundle: true,
  minify: true,
  logLevel: "warning",
});
await cp("src/api/pages/icon.svg", "dist/dictionary/icon.svg");

// The page at /docs, whole: it asks nothing of others.
const docs = "dist/api/docs";
await mkdir(docs, { recursive: true });
await cp("src/api/docs", docs, { recursive: true });
const swagger = path.dirname(fileURLToPath(import.meta.resolve("swagger-ui-dist/package.json")));
for (const file of ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png", "LICENSE", "NOTICE"])
  await cp(path.join(swagger, file), path.join(docs, file));

// What gives a DuckDB that people start themselves the views of the shell.
const maker = "dist/make-init-files.mjs";
await build({
  stdin: {
    contents: `export { loadSqlVersion } from "./src/models/load.js";
      export { initText, s3InitText } from "./src/models/shell-init.js";`,
    resolveDir: import.meta.dirname,
  },
  outfile: maker,
  bundle: true,
  platform: "node",
  format: "esm",
  banner: requireFor,
  logLevel: "warning",
});
const { loadSqlVersion, initText, s3InitText } = await import(path.resolve(maker));
await mkdir("dist/sql");
await writeFile("dist/sql/shell.sql", initText(await loadSqlVersion("sql", "v1")));
await writeFile("dist/sql/shell-s3.sql", s3InitText());
await rm(maker);

// npx finds the command of this package here. Otherwise it first makes a link to the package in its cache, and two at the same time, or
// one that is killed, can break that.
const command = "node_modules/.bin/pipeline";
await rm(command, { force: true });
await mkdir(path.dirname(command), { recursive: true });
await symlink("../../dist/cli/main.js", command);
