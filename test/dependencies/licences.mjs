// Holds the dependencies that are shipped to licences that a product may be built on, and to install without scripts:
//   node test/dependencies/licences.mjs [package-lock.json]
import { readFile } from "node:fs/promises";
import { shippedPlaces } from "./shipped.mjs";

/** Licences that ask for no more than to be named. */
const ALLOWED = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "PSF-2.0",
  "Python-2.0",
  "Unlicense",
]);

/**
 * Packages whose script at install only looks for the binary that is in the package, downloads nothing, and is not needed: all of them
 * work after `npm ci --ignore-scripts`, which is how the image is made.
 */
const LOOKS_FOR_ITS_BINARY = new Set(["@photostructure/sqlite"]);

const { packages } = JSON.parse(await readFile(process.argv[2] ?? "package-lock.json", "utf8"));
const { count, faults } = wrongDependencies(packages);
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.stdout.write(`${count} dependencies are shipped, ${faults.length} faults\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

/**
 * What is wrong with the dependencies that are shipped, by the packages of a package-lock.json of version 3.
 * @returns how many they are, and a sentence for each fault.
 */
function wrongDependencies(packages) {
  const shipped = [...shippedPlaces(packages)];
  const faults = shipped.flatMap((place) => {
    const { version, license, hasInstallScript } = packages[place];
    const packageName = place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
    const name = `${packageName}@${version}`;
    return [
      ...(isAllowed(license) ? [] : [`${name} has the licence ${license ?? "that nobody knows"}`]),
      ...(hasInstallScript === true && !LOOKS_FOR_ITS_BINARY.has(packageName)
        ? [`${name} runs a script when it is installed`]
        : []),
    ];
  });
  return { count: shipped.length, faults };
}

/** Of `(MIT OR GPL-2.0)` one must be allowed; anything else that is no single licence is not. */
function isAllowed(license) {
  if (typeof license !== "string") return false;
  return license
    .replace(/^\((.*)\)$/, "$1")
    .split(" OR ")
    .some((one) => ALLOWED.has(one));
}
