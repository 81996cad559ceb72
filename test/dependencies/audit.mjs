// Asks the registry for known vulnerabilities of what is shipped, where it answers: node test/dependencies/audit.mjs
import { spawnSync } from "node:child_process";

/** What a registry says that has no advisories to give, or that cannot be reached. */
const NO_ANSWER =
  /ENOAUDIT|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|\b(400|401|403|404|405|501|502|503|504)\b|endpoint/i;

const npm = spawnSync("npm", ["audit", "--omit=dev", "--audit-level=high", "--json"], { encoding: "utf8" });
const { isGood, says } = judgeAudit(npm.stdout ?? "");
process.stdout.write(`${says}\n`);
process.exitCode = isGood ? 0 : 1;

/**
 * What the answer of `npm audit --json` means. That nobody answers is said, and is no fault of the dependencies; an answer
 * that cannot be understood is one.
 */
function judgeAudit(output) {
  const answer = parsed(output);
  const found = answer?.metadata?.vulnerabilities;
  if (found !== undefined) {
    const { high, critical } = found;
    const names = Object.values(answer.vulnerabilities ?? {})
      .filter(({ severity }) => severity === "high" || severity === "critical")
      .map(({ name, severity }) => `${name} (${severity})`);
    return {
      isGood: high === 0 && critical === 0,
      says: `${high} high and ${critical} critical vulnerabilities ${names.join(", ")}`.trim(),
    };
  }
  const fault = [answer?.error?.code, answer?.error?.summary, answer?.message].filter(Boolean).join(" ");
  if (NO_ANSWER.test(fault))
    return { isGood: true, says: `not audited, the registry does not answer: ${fault}` };
  return { isGood: false, says: `npm audit said what cannot be understood: ${fault || output}` };
}

function parsed(output) {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}
