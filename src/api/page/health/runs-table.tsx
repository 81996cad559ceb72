import type { VNode } from "preact";
import { counted } from "../../../base/words.js";
import { Scrolling } from "../scrolling.js";
import { ago, MomentOf, Name } from "../words.js";
import type { PastRun } from "./past-run.js";
import { OutcomeOf, RunDate } from "./run-words.js";

const SECONDS = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** The last runs, with what is known of each. */
export function RunsTable({ runs, now }: { readonly runs: readonly PastRun[]; readonly now: Date }): VNode {
  return (
    <section>
      <h2 id="runs-heading">The last runs</h2>
      <Scrolling name={{ heading: "runs-heading" }}>
        <table class="listing">
          <thead>
            <tr>
              <th scope="col">Execution date</th>
              <th scope="col">Outcome</th>
              <th scope="col">Begun</th>
              <th scope="col" class="number">
                Seconds
              </th>
              <th scope="col" class="number">
                Rows read
              </th>
              <th scope="col" class="number">
                Rejected
              </th>
              <th scope="col" class="number">
                Curated
              </th>
              <th scope="col" class="number">
                Warnings
              </th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <RunRow key={run.id} run={run} now={now} />
            ))}
          </tbody>
        </table>
      </Scrolling>
    </section>
  );
}

function RunRow({ run, now }: { readonly run: PastRun; readonly now: Date }): VNode {
  const { rows, warnings } = run.record;
  return (
    <tr>
      <th scope="row">
        <RunDate run={run} />
      </th>
      <td>
        <OutcomeOf run={run} />
        {run.errorCode !== null && (
          <>
            {" "}
            <code>
              <Name>{run.errorCode}</Name>
            </code>
          </>
        )}
      </td>
      <td>
        {run.startedAt !== undefined && (
          <>
            {ago(run.startedAt, now)}{" "}
            <small>
              <MomentOf moment={run.startedAt} />
            </small>
          </>
        )}
      </td>
      <Known number={secondsOf(run)} inWords={(seconds) => SECONDS.format(seconds)} />
      <Known number={rows?.read} />
      <Known number={rows?.rejected} />
      <Known number={rows?.curated} />
      <Known number={warnings?.length} />
    </tr>
  );
}

/** A run that is under way, or died, has left its record with the seconds up to then, which say nothing. */
function secondsOf({ outcome, record }: PastRun): number | undefined {
  return outcome === "running" || outcome === "killed" ? undefined : record.seconds;
}

function Known({
  number,
  inWords = counted,
}: {
  readonly number: number | undefined;
  readonly inWords?: (number: number) => string;
}): VNode {
  return (
    <td class="number">
      {number === undefined ? <span class="visually-hidden">not known</span> : inWords(number)}
    </td>
  );
}
