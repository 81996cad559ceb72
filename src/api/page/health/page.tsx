import type { VNode } from "preact";
import { hasFailed, readRunHistory, readRuns } from "../../../consumption/runs.js";
import { readOpenWithdrawals } from "../../../consumption/withdrawals.js";
import type { Publication } from "../../../voucher/publication.js";
import type { Services } from "../../http/services.js";
import { PAGES } from "../addresses.js";
import { maybeAsk } from "../maybe-ask.js";
import type { PageRoute } from "../page.js";
import { Audits } from "./audits.js";
import { databaseStateOf } from "./database-state.js";
import { Failure } from "./failure.js";
import { Glance } from "./glance.js";
import { type PastRun, pastRunOf } from "./past-run.js";
import { RejectedExamples } from "./rejected-examples.js";
import { Rows } from "./rows.js";
import { OfRun } from "./run-words.js";
import { RunsTable } from "./runs-table.js";
import { Warnings } from "./warnings.js";
import { Withdrawn } from "./withdrawn.js";

const RUNS_SHOWN = 20;

/** How the answers came to be, and whether anything is wrong with that. It is there whatever is. */
export function healthPage(services: Services): PageRoute {
  return {
    path: PAGES.health,
    menu: "Is it healthy?",
    open: async (_request, standing) => {
      const { now, publication } = standing;
      const recorded = await maybeAsk(services, (database) =>
        readRunHistory(database, { limit: RUNS_SHOWN }),
      );
      // Many runs of other stages can have come since.
      const curated = await maybeAsk(services, (database) =>
        readRuns(database, { outcome: "succeeded", stage: "curate", limit: 1 }),
      );
      const withdrawals = await maybeAsk(services, readOpenWithdrawals);
      const runs = recorded?.map(pastRunOf);
      const database = databaseStateOf(standing, runs);
      return {
        title: "Is it healthy?",
        body: (
          <>
            {runs?.[0] !== undefined && hasFailed(runs[0]) && (
              <Failure run={runs[0]} publication={publication} />
            )}
            <Glance standing={standing} database={database} newestRun={runs?.[0]} />
            <Withdrawn withdrawals={withdrawals ?? []} now={now} />
            {database === "away" || database === "silent" ? (
              <p>Which runs there were, and what became of their rows, is told again when it answers.</p>
            ) : (
              <Told
                runs={runs ?? []}
                curated={(curated ?? []).map(pastRunOf)}
                publication={publication}
                now={now}
              />
            )}
          </>
        ),
      };
    },
  };
}

interface ToldProps {
  /** The latest first. */
  readonly runs: readonly PastRun[];
  /** The last run that read raw files and succeeded, if there was one. */
  readonly curated: readonly PastRun[];
  readonly publication: Publication | undefined;
  readonly now: Date;
}

function Told({ runs, curated, publication, now }: ToldProps): VNode {
  // A run of one stage alone knows less than one of all.
  const known = [...runs, ...curated];
  const audited = newestThat(known, ({ record }) => record.audits, isAnyIn);
  const warned = newestThat(known, ({ record }) => record.warnings);
  const accounted = newestThat(known, ({ record }) => record.rows);
  return (
    <>
      {runs.length === 0 ? <NoRunYet publication={publication} /> : <RunsTable runs={runs} now={now} />}
      {accounted !== undefined && (
        <>
          <Rows run={accounted.run} rows={accounted.known} now={now} />
          <RejectedExamples run={accounted.run} />
        </>
      )}
      {audited !== undefined && (
        <Audits audits={audited.known}>
          {audited.run !== accounted?.run && <OfRun run={audited.run} now={now} />}
        </Audits>
      )}
      {warned !== undefined && (
        <Warnings warnings={warned.known}>
          {warned.run !== accounted?.run && <OfRun run={warned.run} now={now} />}
        </Warnings>
      )}
    </>
  );
}

function NoRunYet({ publication }: Pick<ToldProps, "publication">): VNode {
  return (
    <>
      <p class="lead">No run is recorded{publication === undefined ? " yet" : ""}.</p>
      {publication === undefined && (
        <p>
          The answers come with the first one:{" "}
          <code>npm run pipeline -- --execution-date 2020-05-29T00:00:00</code>
        </p>
      )}
    </>
  );
}

/** The newest run that knows something, with that. */
function newestThat<Known>(
  runs: readonly PastRun[],
  knows: (run: PastRun) => Known | undefined,
  isEnough: (known: Known) => boolean = () => true,
): { readonly run: PastRun; readonly known: Known } | undefined {
  for (const run of runs) {
    const known = knows(run);
    if (known !== undefined && isEnough(known)) return { run, known };
  }
  return undefined;
}

function isAnyIn(list: readonly unknown[]): boolean {
  return list.length > 0;
}
