import type { ComponentChildren, VNode } from "preact";
import { counted, counting, percent } from "../../../base/words.js";
import { readOpenWithdrawals } from "../../../consumption/publication-withdrawals.js";
import { hasFailed, readRunHistory, readRuns } from "../../../consumption/recorded-runs.js";
import type { Publication } from "../../../voucher/publication-identity.js";
import type { Services } from "../../http/services.js";
import { PAGES } from "../addresses.js";
import type { PageRoute } from "../frame.js";
import { Name, Scrolling } from "../parts.js";
import { askUnlessAway } from "../service-state.js";
import { databaseStateOf, Glance, Withdrawn } from "./glance.js";
import { Failure, OfRun, pastRunOf, RunsTable, type PastRun } from "./past-runs.js";
import { RejectedExamples, Rows } from "./rows-of-run.js";
import type { AuditOutcome } from "./run-record.js";

const RUNS_SHOWN = 20;

/** How the answers came to be, and whether anything is wrong with that. It is there whatever is. */
export function healthPage(services: Services): PageRoute {
  return {
    path: PAGES.health,
    menu: "Is it healthy?",
    open: async (_request, state) => {
      const { now, publication } = state;
      const recorded = await askUnlessAway(services, (database) =>
        readRunHistory(database, { limit: RUNS_SHOWN }),
      );
      // Many runs of other stages can have come since.
      const curated = await askUnlessAway(services, (database) =>
        readRuns(database, { outcome: "succeeded", stage: "curate", limit: 1 }),
      );
      const withdrawals = await askUnlessAway(services, readOpenWithdrawals);
      const runs = recorded?.map(pastRunOf);
      const database = databaseStateOf(state, runs);
      return {
        title: "Is it healthy?",
        body: (
          <>
            {runs?.[0] !== undefined && hasFailed(runs[0]) && (
              <Failure run={runs[0]} publication={publication} />
            )}
            <Glance state={state} database={database} newestRun={runs?.[0]} />
            <Withdrawn withdrawals={withdrawals ?? []} now={now} />
            {database === "away" || database === "silent" ? (
              <p>Which runs there were, and what became of their rows, is told again when it answers.</p>
            ) : (
              <RecordedRuns
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

interface RecordedRunsProps {
  /** The latest first. */
  readonly runs: readonly PastRun[];
  /** The last run that read raw files and succeeded, if there was one. */
  readonly curated: readonly PastRun[];
  readonly publication: Publication | undefined;
  readonly now: Date;
}

function RecordedRuns({ runs, curated, publication, now }: RecordedRunsProps): VNode {
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

function NoRunYet({ publication }: Pick<RecordedRunsProps, "publication">): VNode {
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

const OUTCOMES: Readonly<Record<AuditOutcome["outcome"], { readonly kind: string; readonly sign: string }>> =
  {
    passed: { kind: "good", sign: "✓" },
    warned: { kind: "warn", sign: "!" },
    failed: { kind: "bad", sign: "✕" },
  };

interface AuditsProps {
  readonly audits: readonly AuditOutcome[];
  /** Of which run they are, where that is not clear. */
  readonly children: ComponentChildren;
}

/** Which promises the tables of a run keep. */
function Audits({ audits, children }: AuditsProps): VNode {
  const broken = audits.filter(({ outcome }) => outcome !== "passed");
  return (
    <section>
      <h2>Audits</h2>
      {children}
      <p>
        {broken.length === 0
          ? `All ${counting(audits.length, "audit")} passed.`
          : `${counted(audits.length - broken.length)} of ${counting(audits.length, "audit")} passed. ${broken.length === 1 ? "This one" : "These"} did not:`}
      </p>
      {broken.length > 0 && <AuditTable audits={broken} label="Audits that did not pass" />}
      <details>
        <summary>Every audit</summary>
        <AuditTable audits={audits} label="Every audit" />
      </details>
    </section>
  );
}

function AuditTable({ audits, label }: Pick<AuditsProps, "audits"> & { readonly label: string }): VNode {
  return (
    <Scrolling name={{ label }}>
      <table class="listing">
        <thead>
          <tr>
            <th scope="col">Audit</th>
            <th scope="col">Outcome</th>
            <th scope="col">What it promises</th>
            <th scope="col" class="number">
              Rows that break it
            </th>
            <th scope="col" class="number">
              Rows that may
            </th>
          </tr>
        </thead>
        <tbody>
          {audits.map((audit, index) => (
            <tr key={index}>
              <th scope="row">
                <Name>{audit.audit}</Name>{" "}
                <small>
                  of <Name>{audit.model}</Name>
                </small>
              </th>
              <td>
                <span class={`outcome ${OUTCOMES[audit.outcome].kind}`}>
                  <span aria-hidden="true">{OUTCOMES[audit.outcome].sign}</span> {audit.outcome}
                </span>
              </td>
              <td>
                <Name>{audit.promise}</Name>
              </td>
              <td class="number">{counted(audit.broken)}</td>
              <td class="number">{allowedInWords(audit)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolling>
  );
}

function allowedInWords({ allowed: { rows = 0, share } }: AuditOutcome): string {
  if (share !== undefined) return percent(share);
  return rows === 0 ? "none" : counted(rows);
}

interface WarningsProps {
  readonly warnings: readonly string[];
  /** Of which run they are, where that is not clear. */
  readonly children: ComponentChildren;
}

/** What a run did not fail for, and somebody should look at. */
function Warnings({ warnings, children }: WarningsProps): VNode {
  return (
    <section>
      <h2>Warnings</h2>
      {children}
      {warnings.length === 0 ? (
        <p>There were none.</p>
      ) : (
        <ul>
          {warnings.map((warning, index) => (
            <li key={index}>
              <Warning text={warning} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** More than one line is a table of text. */
function Warning({ text }: { readonly text: string }): VNode {
  const name = <Name>{text}</Name>;
  return text.includes("\n") ? <pre>{name}</pre> : name;
}
