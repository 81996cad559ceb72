// Checks what is shipped for known vulnerabilities: node test/dependencies/audit.mjs [package-lock.json [advisories.json]]
// First by its versions against the list beside this file, then by asking the registry. Ends with 0 where both find nothing, with 1 where
// one of them does, and with 77 where the list finds nothing and the registry does not answer.
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { shippedPlaces } from "./shipped.mjs";

const NOT_AUDITED = 77;
/** What a registry says that has no advisories to give, or that cannot be reached. */
const NO_ANSWER =
  /ENOAUDIT|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|\b(400|401|403|404|405|501|502|503|504)\b|endpoint/i;

const [lockFile = "package-lock.json", listFile = path.join(import.meta.dirname, "advisories.json")] =
  process.argv.slice(2);
const { packages } = JSON.parse(await readFile(lockFile, "utf8"));
const advisories = JSON.parse(await readFile(listFile, "utf8"));

const shipped = shippedPlaces(packages);
const { faults, accepted } = compare(packages, advisories);
for (const line of accepted) process.stdout.write(`accepted: ${line}\n`);
for (const line of faults) process.stderr.write(`${line}\n`);
process.stdout.write(`by the list of ${advisories.length} advisories: ${faults.length} faults\n`);

const npm = spawnSync("npm", ["audit", "--json"], { encoding: "utf8" });
const { code, says } = judgeAudit(npm.stdout ?? "");
process.stdout.write(`${says}\n`);
process.exitCode = faults.length > 0 ? 1 : code;

/** Holds the versions of what is shipped against the list. */
function compare(packages, advisories) {
  const faults = [];
  const accepted = [];
  for (const place of shipped) {
    const { version } = packages[place];
    const name = place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
    for (const { id, introduced = "0.0.0", fixed, about, accepted: reason, ...advisory } of advisories) {
      if (advisory.package !== name || isBefore(version, introduced) || !isBefore(version, fixed)) continue;
      const found = `${name}@${version} has ${id} (${about}), fixed in ${fixed}`;
      if (reason === undefined) faults.push(found);
      else accepted.push(`${found}: ${reason}`);
    }
  }
  return { faults, accepted };
}

/** Whether a version is older than another; one before a release, such as 1.0.0-rc.1, counts as the release. */
function isBefore(version, other) {
  const [left, right] = [version, other].map((text) => text.split(/[-+]/)[0].split(".").map(Number));
  for (const [index, number] of left.entries()) if (number !== right[index]) return number < right[index];
  return false;
}

/**
 * What the answer of `npm audit --json` means. If nobody answers, nothing is audited; an answer that cannot be understood is a
 * fault. What the list accepts by one of its names is no fault.
 */
function judgeAudit(output) {
  const answer = parsed(output);
  const found = answer?.vulnerabilities;
  if (answer?.metadata?.vulnerabilities !== undefined && found !== undefined) {
    const names = Object.values(found)
      .filter(({ severity }) => severity === "high" || severity === "critical")
      .filter(({ nodes }) => nodes === undefined || nodes.some((place) => shipped.has(place)))
      .filter(({ via = [] }) => !isAccepted(via, found))
      .map(({ name, severity }) => `${name} (${severity})`);
    const says = `by the registry: ${names.length} vulnerabilities that are high or critical`;
    return { code: names.length === 0 ? 0 : 1, says: [says, ...names].join(" ") };
  }
  const fault = [answer?.error?.code, answer?.error?.summary, answer?.message].filter(Boolean).join(" ");
  if (NO_ANSWER.test(fault))
    return { code: NOT_AUDITED, says: `not audited by the registry, which does not answer: ${fault}` };
  return { code: 1, says: `npm audit said what cannot be understood: ${fault || output}` };
}

/** Whether all that makes a package vulnerable is accepted: advisories of its own, and packages that it depends on. */
function isAccepted(via, found, seen = new Set()) {
  const names = advisories
    .filter(({ accepted }) => accepted !== undefined)
    .flatMap(({ id, aliases = [] }) => [id, ...aliases]);
  return (
    via.length > 0 &&
    via.every((cause) => {
      if (typeof cause !== "string")
        return names.some((name) => cause.url?.endsWith(`/${name}`) || cause.cves?.includes(name));
      if (seen.has(cause)) return true;
      seen.add(cause);
      return isAccepted(found[cause]?.via ?? [], found, seen);
    })
  );
}

function parsed(output) {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}
