import type { VNode } from "preact";
import type { Standing } from "../standing.js";
import { ageInWords, ago, DateOf, MomentOf } from "../words.js";
import type { DatabaseState } from "./database-state.js";
import type { PastRun } from "./past-run.js";
import { OutcomeOf } from "./run-words.js";

interface GlanceProps {
  readonly standing: Standing;
  readonly database: DatabaseState;
  /** Undefined where there was none, or where it cannot be read. */
  readonly newestRun: PastRun | undefined;
}

/** How new the answers are, and whether what they come from is there. */
export function Glance({ standing, database, newestRun }: GlanceProps): VNode {
  const { now, publication } = standing;
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
          <Database standing={standing} database={database} />
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
              <OutcomeOf run={newestRun} />
              {newestRun.startedAt !== undefined && `, begun ${ago(newestRun.startedAt, now)}`}
            </>
          )}
        </dd>
      </div>
    </dl>
  );
}

function Database({ standing: { confirmedAt, now }, database }: Omit<GlanceProps, "newestRun">): VNode {
  switch (database) {
    case "answers":
      return (
        <span class="outcome good">
          <span aria-hidden="true">✓</span> answers
        </span>
      );
    case "missing":
      return <>Is not there yet: the first run makes it</>;
    case "away":
    case "silent":
      return (
        <span class="outcome bad">
          <span aria-hidden="true">✕</span> does not answer; the last time:{" "}
          {confirmedAt === undefined ? "it has not answered yet" : ago(confirmedAt, now)}
        </span>
      );
  }
}
