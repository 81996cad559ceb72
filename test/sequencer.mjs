import Sequencer from "@jest/test-sequencer";

/** Short files that take long. Jest begins with large files where it does not know yet how long each takes. */
const LONG = [
  ...[
    "crash/crash",
    "run/least-power",
    "tutorial/tutorial",
    "hostile/raw-data",
    "crash/commit",
    "browser/states",
    "cli/signals",
  ],
  ...["cli/time-limit", "end-to-end/readers", "run/lost-database", "hostile/corpus/corpus", "api/examples"],
].map((name) => `/test/${name}.test.ts`);

const isLong = ({ path }) => LONG.some((end) => path.endsWith(end));

/** So that no worker has a long file left when the other one is done. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
}
