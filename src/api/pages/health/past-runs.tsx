import type { VNode } from "preact";
import { printable, counted, counting } from "../../../base/words.js";
import { readWithdrawals } from "../../../consumption/publication-withdrawals.js";
import { readRunHistory, type RunFilter } from "../../../consumption/recorded-runs.js";
import { OutcomeOf } from "../../../record/page.js";
import { pastRunOf, toldRunOf, type PastRun } from "../../../record/past-run.js";
import { outcomeAndDutyOf } from "../../../record/sentences.js";
import { executionDateOfKey } from "../../../voucher/execution-date.js";
import type { Publication } from "../../../voucher/publication-identity.js";
import type { Services } from "../../http/services.js";
import { runAddress } from "../addresses.js";
import { ago, DateOf, MomentOf, Name, Scrolling } from "../parts.js";
import { askUnlessAway } from "../service-state.js";

/** The maximum number of shown warnings of a run; the others are counted. */
const WARNINGS_SHOWN = 5;

const SECONDS = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/**
 * Reads runs of the history, the latest first.
 * @returns undefined if the database is not reachable, or does not exist yet.
 */
export function readPastRuns(services: Services, filter: RunFilter): Promise<PastRun[] | undefined> {
  return askUnlessAway(services, async (database) => {
    const withdrawals = await readWithdrawals(database);
    return (await readRunHistory(database, filter)).map((run) => pastRunOf(run, withdrawals));
  });
}

interface RunProps {
  readonly run: PastRun;
}

/** The execution date of a run, with a link to its report. */
function LinkToRun({ run: { run_id, execution_date } }: RunProps): VNode {
  const date = executionDateOfKey(execution_date);
  return (
    <a href={runAddress(run_id)}>
      {date === undefined ? <Name>{execution_date}</Name> : <DateOf date={date} />}
    </a>
  );
}

/** A recorded moment; undefined if there is none, or if it is not readable. */
export function maybeMoment(iso: string | null): Date | undefined {
  const moment = new Date(iso ?? "");
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}

interface FailureProps extends RunProps {
  readonly publication: Publication | undefined;
}

/** The failure of the newest run, the next step, and the publication that is served meanwhile. */
export function Failure({ run, publication }: FailureProps): VNode {
  const { run_id, outcome, error_code, error_message } = run;
  const began = maybeMoment(run.started_at);
  const ended = outcome === "killed" ? undefined : maybeMoment(run.ended_at);
  return (
    <section aria-labelledby="wrong-heading" class="wrong">
      <h2 id="wrong-heading">Failure of the newest run</h2>
      {outcomeAndDutyOf(toldRunOf(run)).map((sentence, index) => (
        <p key={index}>
          <Name>{sentence}</Name>
        </p>
      ))}
      <ul>
        {error_code !== null && (
          <li>
            Code: <code>{error_code}</code>
          </li>
        )}
        {began !== undefined && (
          <li>
            Began: <MomentOf moment={began} />
          </li>
        )}
        {ended !== undefined && (
          <li>
            Ended: <MomentOf moment={ended} />
          </li>
        )}
        <li>
          Run: <a href={runAddress(run_id)}>{run_id}</a>
        </li>
      </ul>
      {error_message !== null && (
        <pre>
          <Name>{error_message}</Name>
        </pre>
      )}
      <p>
        {publication === undefined ? (
          "There is no earlier publication to serve instead."
        ) : (
          <>
            The answers are those of the last publication, as of <DateOf date={publication.executionDate} />,
            made on <MomentOf moment={new Date(publication.publishedAt)} />.
          </>
        )}
      </p>
    </section>
  );
}

/** The warnings of a run: the first line of each. */
export function Warnings({ run }: RunProps): VNode {
  const { warnings = [] } = run.report ?? {};
  const more = warnings.length - WARNINGS_SHOWN;
  return (
    <section>
      <h2>Warnings</h2>
      <p>
        The run for <LinkToRun run={run} /> has{" "}
        {warnings.length === 0 ? "none" : counting(warnings.length, "warning")}.
      </p>
      {warnings.length > 0 && (
        <ul>
          {warnings.slice(0, WARNINGS_SHOWN).map((warning, index) => (
            <li key={index}>
              <Name>{inShort(warning)}</Name>
            </li>
          ))}
          {more > 0 && <li>and {counted(more)} more</li>}
        </ul>
      )}
    </section>
  );
}

function inShort(warning: string): string {
  const [first = "", ...others] = warning.split("\n");
  return `${printable(first)}${others.length > 0 ? " …" : ""}`;
}

interface RunsProps {
  readonly runs: readonly PastRun[];
  readonly now: Date;
}

/** The last runs, each with a link to its report. */
export function RunsTable({ runs, now }: RunsProps): VNode {
  return (
    <section>
      <h2 id="runs-heading">The last runs</h2>
      <Scrolling name={{ heading: "runs-heading" }}>
        <table class="listing">
          <thead>
            <tr>
              <th scope="col">Report of the run for</th>
              <th scope="col">Outcome</th>
              <th scope="col">Begun</th>
              <th scope="col" class="number">
                Seconds
              </th>
              <th scope="col" class="number">
                Warnings
              </th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <RunRow key={run.run_id} run={run} now={now} />
            ))}
          </tbody>
        </table>
      </Scrolling>
    </section>
  );
}

function RunRow({ run, now }: RunProps & Pick<RunsProps, "now">): VNode {
  const { outcome, error_code, report } = run;
  const began = maybeMoment(run.started_at);
  return (
    <tr>
      <th scope="row">
        <LinkToRun run={run} />
      </th>
      <td>
        <OutcomeOf outcome={outcome} />
        {error_code !== null && (
          <>
            {" "}
            <code>
              <Name>{error_code}</Name>
            </code>
          </>
        )}
      </td>
      <td>
        {began !== undefined && (
          <>
            {ago(began, now)}{" "}
            <small>
              <MomentOf moment={began} />
            </small>
          </>
        )}
      </td>
      <Known text={secondsOf(run)} />
      <Known text={report === null ? undefined : counted(report.warnings.length)} />
    </tr>
  );
}

/** A current or killed run has recorded only the seconds so far, which mean nothing. */
function secondsOf({ outcome, report }: PastRun): string | undefined {
  const isOver = outcome !== "running" && outcome !== "killed";
  return report !== null && report.seconds > 0 && isOver ? SECONDS.format(report.seconds) : undefined;
}

function Known({ text }: { readonly text: string | undefined }): VNode {
  return <td class="number">{text ?? <span class="visually-hidden">not known</span>}</td>;
}
