import type { VNode } from "preact";
import { readOpenWithdrawals } from "../../../consumption/publication-withdrawals.js";
import { hasFailed } from "../../../consumption/recorded-runs.js";
import type { PastRun } from "../../../record/past-run.js";
import type { Services } from "../../http/services.js";
import { PAGES } from "../addresses.js";
import type { PageRoute } from "../frame.js";
import { askUnlessAway, type ServiceState } from "../service-state.js";
import { databaseStateOf, Glance, Withdrawn } from "./glance.js";
import { Failure, readPastRuns, RunsTable, Warnings } from "./past-runs.js";

const RUNS_SHOWN = 20;

/** The run history, and faults. The page works despite any fault. */
export function healthPage(services: Services): PageRoute {
  return {
    path: PAGES.health,
    menu: "Is it healthy?",
    open: async (_request, state) => {
      const { now, publication } = state;
      const runs = await readPastRuns(services, { limit: RUNS_SHOWN });
      const withdrawals = await askUnlessAway(services, readOpenWithdrawals);
      const database = databaseStateOf(state, runs);
      const newest = runs?.[0];
      return {
        title: "Is it healthy?",
        body: (
          <>
            {newest !== undefined && hasFailed(newest) && <Failure run={newest} publication={publication} />}
            <Glance state={state} database={database} newestRun={newest} />
            <Withdrawn withdrawals={withdrawals ?? []} now={now} />
            {database === "away" || database === "silent" ? (
              <p>The run history appears again when the database is reachable.</p>
            ) : (
              <RecordedRuns runs={runs ?? []} state={state} />
            )}
          </>
        ),
      };
    },
  };
}

interface RecordedRunsProps {
  /** The latest first. */
  readonly runs: readonly PastRun[];
  readonly state: ServiceState;
}

function RecordedRuns({ runs, state: { now, publication } }: RecordedRunsProps): VNode {
  if (runs.length === 0) return <NoRunYet publication={publication} />;
  const recorded = runs.find(({ report }) => report !== null);
  return (
    <>
      {recorded !== undefined && <Warnings run={recorded} />}
      <RunsTable runs={runs} now={now} />
    </>
  );
}

function NoRunYet({ publication }: Pick<ServiceState, "publication">): VNode {
  return (
    <>
      <p class="lead">No run is recorded{publication === undefined ? " yet" : ""}.</p>
      {publication === undefined && (
        <p>
          The first run publishes the first answers:{" "}
          <code>npm run pipeline -- --execution-date 2020-05-29T00:00:00</code>
        </p>
      )}
    </>
  );
}
