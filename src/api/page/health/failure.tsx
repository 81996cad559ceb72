import type { VNode } from "preact";
import type { Publication } from "../../../voucher/publication.js";
import { DateOf, MomentOf, Name } from "../words.js";
import type { PastRun } from "./past-run.js";
import { outcomeInWords, RunDate } from "./run-words.js";

interface FailureProps {
  readonly run: PastRun;
  readonly publication: Publication | undefined;
}

/** Why the newest run has come to no good end, in full. */
export function Failure({ run, publication }: FailureProps): VNode {
  const { id, stages, startedAt, endedAt, errorCode, errorMessage } = run;
  return (
    <section aria-labelledby="wrong-heading" class="wrong">
      <h2 id="wrong-heading">What is wrong</h2>
      <p>
        The run <code>{id}</code> for <RunDate run={run} /> ({stages.join(", ")})
        {startedAt !== undefined && (
          <>
            {" "}
            began on <MomentOf moment={startedAt} /> and
          </>
        )}{" "}
        {outcomeInWords(run)}
        {endedAt !== undefined && run.outcome !== "killed" && (
          <>
            {" "}
            on <MomentOf moment={endedAt} />
          </>
        )}
        {errorCode !== null && (
          <>
            {" "}
            with <code>{errorCode}</code>
          </>
        )}
        .{run.outcome === "killed" && " Its process ended, or its machine, before it could say why."}
      </p>
      {errorMessage !== null && (
        <pre>
          <Name>{errorMessage}</Name>
        </pre>
      )}
      <p>
        {publication === undefined ? (
          "There is no publication before it whose answers could be given."
        ) : (
          <>
            The answers are those of the last publication, as of <DateOf date={publication.executionDate} />,
            made on <MomentOf moment={new Date(publication.publishedAt)} />.
          </>
        )}{" "}
        All that is known of the run: <code>npm run pipeline -- runs {id}</code>
      </p>
    </section>
  );
}
