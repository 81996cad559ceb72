import { afterAll, expect, it } from "@jest/globals";
import { recordReliability } from "../../reliability-results.js";
import type { Lake } from "./lake.js";
import { meetFault, type Fault } from "./outage.js";

/** With OUTAGES=all every fault is met at every moment, else those that a list names. */
const ALL = process.env["OUTAGES"] === "all";

/**
 * A test for each fault at each moment: the run ends with 0 and all that is new, or with 4 and all that was before, and the
 * next run as if nothing had been.
 * @param chosen the moment and the fault of each test of the short version.
 */
export function testOutages(
  name: string,
  lake: () => Lake,
  moments: readonly string[],
  faults: () => readonly Fault[],
  names: readonly string[],
  chosen: readonly (readonly [moment: string, fault: string])[],
): void {
  const outcomes: Record<string, number> = {};
  let tried = 0;
  let violated = 0;
  let longest = 0;
  afterAll(async () => {
    await recordReliability({
      name,
      tried: { outages: tried, seconds_of_the_longest: Math.round(longest) },
      outcomes,
      violations: violated,
    });
  });
  const cases = ALL ? moments.flatMap((moment) => names.map((fault) => [moment, fault] as const)) : chosen;
  it.each(cases)(
    "at the moment '%s', %s",
    async (moment, faultName) => {
      const fault = faults().find((candidate) => candidate.name === faultName);
      if (fault === undefined) throw new Error(`there is no fault ${faultName}`);
      const { outcome, seconds, violations } = await meetFault(
        lake(),
        moment,
        fault,
        tried % 2 === 0 ? 0 : 1,
      );
      tried += 1;
      violated += violations.length;
      longest = Math.max(longest, seconds);
      const key = `${fault.name}: ${outcome}`;
      outcomes[key] = (outcomes[key] ?? 0) + 1;
      expect(violations).toEqual([]);
    },
    400_000,
  );
}
