import { describeThreshold } from "../../../record/audits.js";
import type { AuditResult, RunReport } from "../../../record/run-record.js";

/** How the audits of a model ended, for the dataset that it is. */
export function assertionsOf({ audits }: RunReport, model: string): object[] {
  return audits
    .filter((audit) => audit.model === model)
    .map((audit) => ({ assertion: audit.audit, success: audit.outcome === "passed", ...commonOf(audit) }));
}

/** How all audits of a run ended, also those of one that has written nothing. */
export function testsOf({ audits }: RunReport): object[] {
  return audits.map((audit) => ({
    name: `${audit.model}: ${audit.audit}`,
    status: audit.outcome === "passed" ? "pass" : "fail",
    type: audit.audit,
    ...commonOf(audit),
  }));
}

/** What is expected and what was found are how many rows break the promise. */
function commonOf({ promise, severity, threshold, broken }: AuditResult): object {
  const allowed = describeThreshold(threshold);
  return {
    severity,
    description: promise,
    expected: allowed === "" ? "0" : `at most ${allowed}`,
    actual: broken.toString(),
  };
}
