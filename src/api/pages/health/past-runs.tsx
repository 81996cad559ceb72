import type { VNode } from "preact";
import { counted } from "../../../base/words.js";
import type { PipelineRunsTable } from "../../../consumption/schema.js";
import { executionDateOfKey, type ExecutionDate } from "../../../voucher/execution-date.js";
import type { Publication } from "../../../voucher/publication-identity.js";
import { ago, DateOf, MomentOf, Name, Scrolling } from "../parts.js";
import { readRunRecord, type RunRecord } from "./run-record.js";

/** A run there was, or one that is under way, as a page tells of it. */
export interface PastRun {
  readonly id: string;
  /** Its partition key is all that is known where it is none that people could read. */
  readonly executionDate: ExecutionDate | string;
  readonly outcome: PipelineRunsTable["outcome"];
  readonly stages: readonly string[];
  /** Undefined where it cannot be read. */
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly record: RunRecord;
}

/** A run as it is recorded. */
export function pastRunOf(run: PipelineRunsTable): PastRun {
  return {
    id: run.run_id,
    executionDate: executionDateOfKey(run.execution_date) ?? run.execution_date,
    outcome: run.outcome,
    stages: run.stages.split(","),
    startedAt: maybeMoment(run.started_at),
    endedAt: maybeMoment(run.ended_at),
    errorCode: run.error_code,
    errorMessage: run.error_message,
    record: readRunRecord(run.record),
  };
}

function maybeMoment(text: string | null): Date | undefined {
  const moment = new Date(text ?? "");
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}

/** How runs end, as people say it, with a sign for who looks over many of them. */
const OUTCOMES: Readonly<
  Record<PastRun["outcome"], { readonly kind: string; readonly sign: string; readonly words: string }>
> = {
  succeeded: { kind: "good", sign: "✓", words: "succeeded" },
  running: { kind: "underway", sign: "…", words: "is under way" },
  failed: { kind: "bad", sign: "✕", words: "failed" },
  cancelled: { kind: "warn", sign: "!", words: "was cancelled" },
  killed: { kind: "bad", sign: "✕", words: "was killed" },
};

/** `failed`. */
function outcomeInWords({ outcome }: PastRun): string {
  return OUTCOMES[outcome].words;
}

/** How a run ended, with a sign before it. */
export function OutcomeOf({ run }: { readonly run: PastRun }): VNode {
  const { kind, sign, words } = OUTCOMES[run.outcome];
  return (
    <span class={`outcome ${kind}`}>
      <span aria-hidden="true">{sign}</span> {words}
    </span>
  );
}

/** The execution date of a run. */
function RunDate({ run: { executionDate } }: { readonly run: PastRun }): VNode {
  return typeof executionDate === "string" ? <Name>{executionDate}</Name> : <DateOf date={executionDate} />;
}

/** Which run something is told of. */
export function OfRun({ run, now }: { readonly run: PastRun; readonly now: Date }): VNode {
  return (
    <p>
      Of the run for <RunDate run={run} />
      {run.startedAt !== undefined && `, begun ${ago(run.startedAt, now)}`}.
    </p>
  );
}

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
