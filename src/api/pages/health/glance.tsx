import type { VNode } from "preact";
import type { WithdrawalsTable } from "../../../consumption/schema.js";
import { OutcomeOf } from "../../../record/page.js";
import type { PastRun } from "../../../record/past-run.js";
import { executionDateOfKey } from "../../../voucher/execution-date.js";
import { ageInWords, ago, DateOf, MomentOf, Name } from "../parts.js";
import type { ServiceState } from "../service-state.js";
import { maybeMoment } from "./past-runs.js";

interface GlanceProps {
  readonly state: ServiceState;
  readonly database: DatabaseState;
  /** Undefined if there was none, or if it is not readable. */
  readonly newestRun: PastRun | undefined;
}

/** The age of the answers, and the state of the database. */
export function Glance({ state, database, newestRun }: GlanceProps): VNode {
  const { now, publication } = state;
  const publishedAt = publication && new Date(publication.publishedAt);
  const began = newestRun && maybeMoment(newestRun.started_at);
  return (
    <dl class="glance">
      <div>
        <dt>Newest answers</dt>
        <dd>
          {publication === undefined ? (
            "None yet"
          ) : (
            <>
              <DateOf date={publication.executionDate} />, {ageInWords(publication.executionDate, now)}
            </>
          )}
        </dd>
      </div>
      <div>
        <dt>Published</dt>
        <dd>
          {publishedAt === undefined ? (
            "Nothing yet"
          ) : (
            <>
              {ago(publishedAt, now)}, <MomentOf moment={publishedAt} />
            </>
          )}
        </dd>
      </div>
      <div>
        <dt>Database</dt>
        <dd>
          <Database state={state} database={database} />
        </dd>
      </div>
      <div>
        <dt>Newest run</dt>
        <dd>
          {newestRun === undefined ? (
            database === "answers" || database === "missing" ? (
              "None yet"
            ) : (
              "Not known"
            )
          ) : (
            <>
              <OutcomeOf outcome={newestRun.outcome} />
              {began !== undefined && `, begun ${ago(began, now)}`}
            </>
          )}
        </dd>
      </div>
    </dl>
  );
}

function Database({ state: { confirmedAt, now }, database }: Omit<GlanceProps, "newestRun">): VNode {
  switch (database) {
    case "answers":
      return (
        <span class="outcome good">
          <span aria-hidden="true">✓</span> answers
        </span>
      );
    case "missing":
      return <>does not exist yet: the first run creates it</>;
    case "away":
    case "silent":
      return (
        <span class="outcome bad">
          <span aria-hidden="true">✕</span> not reachable;{" "}
          {confirmedAt === undefined
            ? "no successful connection yet"
            : `last successful connection ${ago(confirmedAt, now)}`}
        </span>
      );
  }
}

/** The state of the database: it responds, is known to be away, does not exist before the first run, or is silent now. */
type DatabaseState = "answers" | "away" | "missing" | "silent";

/** @param runs undefined if they were not readable. */
export function databaseStateOf(
  { isAway, confirmedAt, publication }: Pick<ServiceState, "isAway" | "confirmedAt" | "publication">,
  runs: readonly PastRun[] | undefined,
): DatabaseState {
  if (isAway) return "away";
  if (runs !== undefined) return "answers";
  // The service looked for it, and there was none.
  return confirmedAt !== undefined && publication === undefined ? "missing" : "silent";
}

interface WithdrawnProps {
  readonly withdrawals: readonly WithdrawalsTable[];
  readonly now: Date;
}

/** The withdrawn publications, which give no answers. */
export function Withdrawn({ withdrawals, now }: WithdrawnProps): VNode | null {
  if (withdrawals.length === 0) return null;
  return (
    <section>
      <h2>Withdrawn</h2>
      <ul>
        {withdrawals.map((withdrawal) => (
          <li key={withdrawal.execution_date}>
            <Withdrawal withdrawal={withdrawal} now={now} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Withdrawal({
  withdrawal: { execution_date, withdrawn_at, withdrawn_by, why },
  now,
}: {
  readonly withdrawal: WithdrawalsTable;
  readonly now: Date;
}): VNode {
  const date = executionDateOfKey(execution_date);
  return (
    <>
      The answers of {date === undefined ? <Name>{execution_date}</Name> : <DateOf date={date} />} were
      withdrawn {ago(new Date(withdrawn_at), now)} by <Name>{withdrawn_by}</Name>: <Name>{why}</Name>
    </>
  );
}
