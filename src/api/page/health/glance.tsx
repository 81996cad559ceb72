import type { VNode } from "preact";
import type { AnswersStatus } from "../../answer-store.js";
import { ageInWords, ago, DateOf, MomentOf } from "../words.js";
import type { PastRun } from "./past-run.js";
import { OutcomeOf } from "./run-words.js";

interface GlanceProps {
  readonly status: AnswersStatus;
  /** The latest first; undefined where they cannot be read. */
  readonly runs: readonly PastRun[] | undefined;
  readonly now: Date;
}

/** How new the answers are, and whether what they come from is there. */
export function Glance({ status, runs, now }: GlanceProps): VNode {
  const { publication } = status;
  const publishedAt = publication && new Date(publication.publishedAt);
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
          <DatabaseState status={status} runs={runs} now={now} />
        </dd>
      </div>
      <div>
        <dt>Newest run</dt>
        <dd>
          <NewestRun runs={runs} now={now} />
        </dd>
      </div>
    </dl>
  );
}

function DatabaseState({ status: { isAway, confirmedAt, publication }, runs, now }: GlanceProps): VNode {
  const lastAnswer = confirmedAt === undefined ? "it has not answered yet" : ago(confirmedAt, now);
  if (isAway)
    return (
      <span class="outcome bad">
        <span aria-hidden="true">✕</span> does not answer; the last time: {lastAnswer}
      </span>
    );
  if (runs !== undefined)
    return (
      <span class="outcome good">
        <span aria-hidden="true">✓</span> answers
      </span>
    );
  return (
    <>{publication === undefined ? "Is not there yet: the first run makes it" : "Does not answer now"}</>
  );
}

function NewestRun({ runs, now }: Pick<GlanceProps, "runs" | "now">): VNode {
  const [newest] = runs ?? [];
  if (newest === undefined) return <>{runs === undefined ? "Not known" : "None yet"}</>;
  return (
    <>
      <OutcomeOf run={newest} />
      {newest.startedAt !== undefined && `, begun ${ago(newest.startedAt, now)}`}
    </>
  );
}
