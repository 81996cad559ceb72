// Prints the dependencies of an installation that holds only what the bundles in dist/ import: all others are inside the
// bundles. For `npm pkg set --json`, so that `npm prune` then removes the rest.
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

// "name" or "@scope/name" of an import or a require; what lies inside of the package does not matter.
const IMPORT = /(?:\bfrom|\bimport\(?|require\()\s*"((?:@[\w.-]+\/)?[\w.-]+)[\w./-]*"/g;

const { packages } = JSON.parse(await readFile("package-lock.json", "utf8"));
const versionOf = (name) => packages[`node_modules/${name}`]?.version;

// What browsers load imports nothing from here.
const bundles = (await readdir("dist", { recursive: true })).filter(
  (name) => name.endsWith(".js") && !name.startsWith(path.join("api", "docs")),
);
const texts = await Promise.all(bundles.map((name) => readFile(path.join("dist", name), "utf8")));
const imported = texts.flatMap((text) => Array.from(text.matchAll(IMPORT), ([, name]) => name));
// Node's own modules, and words in comments that look like imports, are no packages.
const names = [...new Set(imported)].filter((name) => versionOf(name) !== undefined).sort();
process.stdout.write(JSON.stringify(Object.fromEntries(names.map((name) => [name, versionOf(name)]))));
