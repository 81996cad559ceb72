import type { VNode } from "preact";
import type { PipelineRunsTable, RunOutcome } from "../../consumption/tables.js";
import { executionDateOfKey } from "../../voucher/execution-date.js";
import { PAGES } from "./addresses.js";
import { Notice } from "./notice.js";
import type { Standing } from "./standing.js";
import { ago, DateOf, MomentOf } from "./words.js";

/** The outcomes of runs that have changed nothing, as people say them. */
const FAILURES: Partial<Record<RunOutcome, string>> = {
  failed: "has failed",
  killed: "was killed",
  cancelled: "was cancelled",
};

/** What everybody should know before they read on: that the answers may be old, and that the newest run has failed. */
export function Notices({ standing }: { readonly standing: Standing }): VNode {
  const failure = standing.newestRun && FAILURES[standing.newestRun.outcome];
  return (
    <>
      {standing.isAway && <DatabaseAway standing={standing} />}
      {standing.newestRun !== undefined && failure !== undefined && (
        <RunFailed run={standing.newestRun} failure={failure} standing={standing} />
      )}
    </>
  );
}

function DatabaseAway({
  standing: { confirmedAt, now, publication },
}: {
  readonly standing: Standing;
}): VNode {
  return (
    <Notice kind="warn">
      <strong>The database cannot be reached.</strong>{" "}
      {publication === undefined || confirmedAt === undefined ? (
        "There are no answers before it has answered once."
      ) : (
        <>
          These are the answers of {ago(confirmedAt, now)}, <MomentOf moment={confirmedAt} />. They go on
          being given; what was published since is not among them.
        </>
      )}
    </Notice>
  );
}

function RunFailed({
  run,
  failure,
  standing: { now, publication },
}: {
  readonly run: PipelineRunsTable;
  readonly failure: string;
  readonly standing: Standing;
}): VNode {
  const date = executionDateOfKey(run.execution_date);
  return (
    <Notice kind="bad">
      <strong>
        The newest run
        {date === undefined ? (
          ""
        ) : (
          <>
            , for <DateOf date={date} />,
          </>
        )}{" "}
        {failure}
      </strong>{" "}
      ({ago(new Date(run.ended_at ?? run.started_at), now)}).{" "}
      {publication === undefined ? (
        "Nothing is published yet."
      ) : (
        <>
          Everybody still gets the answers of <DateOf date={publication.executionDate} />.
        </>
      )}{" "}
      <a href={`${PAGES.health}#wrong-heading`}>See what is wrong</a>
    </Notice>
  );
}
