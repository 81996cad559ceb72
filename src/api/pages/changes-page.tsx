import type { VNode } from "preact";
import * as z from "zod";
import { counted, counting } from "../../base/words.js";
import { readTimelines } from "../../consumption/amount-usage.js";
import { changesBetween, type Change } from "../../voucher/changes.js";
import { shortIso, type ExecutionDate } from "../../voucher/execution-date.js";
import { executionDate } from "../../voucher/field-schemas.js";
import type { Answers, Cell } from "../../voucher/published-answers.js";
import { checked } from "../http/problems.js";
import type { Services } from "../http/services.js";
import { PAGES } from "./addresses.js";
import { PUBLICATIONS_SHOWN } from "./answer-page.js";
import { Sparkline } from "./charts/timeline.js";
import { ChoosePublication, publishedDates } from "./choose-publication.js";
import type { PageRoute } from "./frame.js";
import { CountryPages, Grids, pageParameter, segmentInWords, tablesPage } from "./grid.js";
import { DateOf, Name } from "./parts.js";
import { askUnlessAway, unlessAway } from "./service-state.js";
import { chooseAnswers } from "./shown-answers.js";

/** The maximum number of listed changes; the tables below have all of them. */
const CHANGES_LISTED = 50;

const querySchema = z.object({
  execution_date: executionDate.optional(),
  against: executionDate.optional(),
  page: pageParameter,
});

/** Compares two publications, and shows the history of each answer. */
export function changesPage(services: Services): PageRoute {
  return {
    path: PAGES.changes,
    menu: "What changed",
    open: async (request) => {
      const query = checked(querySchema, request.query, "");
      const { store } = services;
      const after = await store.of(query.execution_date);
      const { executionDate: date } = after.publication;
      const before = await (query.against === undefined
        ? unlessAway(store.before(date))
        : store.of(query.against));
      const dates = await publishedDates(services);
      const shown = tablesPage(chooseAnswers(after, before, {}).tables, query.page);
      const timelines = await askUnlessAway(services, (database) =>
        readTimelines(database, {
          until: date,
          publications: PUBLICATIONS_SHOWN,
          countries: shown.countries,
        }),
      );
      const compared: Compared = { after, before, isKnown: timelines !== undefined };
      return {
        title: "What changed?",
        shows: after.publication,
        scripts: ["answer-dialog.js"],
        body: (
          <>
            {dates.length > 1 && <Choose dates={dates} {...compared} />}
            <Summary {...compared} />
            <Grids
              shown={shown}
              segments={after.segments}
              publication={after.publication}
              beside={(place) => timelines !== undefined && <Sparkline amounts={timelines.amounts(place)} />}
            />
            <CountryPages
              shown={shown}
              path={PAGES.changes}
              query={{
                execution_date: shortIso(date),
                ...(before === undefined ? {} : { against: shortIso(before.publication.executionDate) }),
              }}
            />
          </>
        ),
      };
    },
  };
}

interface Compared {
  readonly after: Answers;
  /** Undefined if there is no other publication, or if the database is away. */
  readonly before: Answers | undefined;
  /** Whether the database is reachable. */
  readonly isKnown: boolean;
}

function Choose({ dates, after, before }: Compared & { readonly dates: readonly ExecutionDate[] }): VNode {
  return (
    <form method="get" action={PAGES.changes} class="inline">
      <ChoosePublication
        name="execution_date"
        label="Answers of"
        dates={dates}
        chosen={after.publication.executionDate}
      />
      <ChoosePublication
        name="against"
        label="compared with"
        dates={dates}
        chosen={before?.publication.executionDate}
      />
      <button type="submit">Compare</button>
    </form>
  );
}

function Summary({ after, before, isKnown }: Compared): VNode {
  if (before === undefined)
    return (
      <p class="lead">
        {isKnown
          ? "There is no other publication to compare with."
          : "Changes are not known while the database is away."}
      </p>
    );
  const changes = largestFirst(changesBetween(before, after));
  const dates = (
    <>
      between <DateOf date={before.publication.executionDate} /> and{" "}
      <DateOf date={after.publication.executionDate} />
    </>
  );
  if (changes.length === 0) return <p class="lead">No answer changed {dates}.</p>;
  return (
    <>
      <p class="lead">
        {counting(changes.length, "answer")} changed {dates}.
      </p>
      <ul class="changes">
        {changes.slice(0, CHANGES_LISTED).map((change) => (
          <li key={`${change.kind} ${change.countryCode} ${change.segment}`}>
            <ChangeLine {...change} />
          </li>
        ))}
      </ul>
      {changes.length > CHANGES_LISTED && (
        <p>
          These are the {CHANGES_LISTED} changes on the most vouchers. All {counted(changes.length)} are
          marked in the tables below.
        </p>
      )}
    </>
  );
}

function largestFirst(changes: readonly Change[]): Change[] {
  return [...changes].sort((a, b) => vouchersDeciding(b) - vouchersDeciding(a));
}

function vouchersDeciding({ before, after }: Change): number {
  return (after ?? before)?.segmentAssignments ?? 0;
}

/** `Australia · 90-120 days: 5,720 → 2,200, sure, on 9,761 vouchers`. */
function ChangeLine(change: Change): VNode {
  const { countryCode, before, after } = change;
  return (
    <>
      <Name>{countryCode}</Name> · {segmentInWords(change)}: <Amounts before={before} after={after} />
      {after?.certainty !== undefined && `, ${after.certainty.word}`}, on{" "}
      {counting(vouchersDeciding(change), "voucher")}
    </>
  );
}

function Amounts({
  before,
  after,
}: {
  readonly before: Cell | undefined;
  readonly after: Cell | undefined;
}): VNode {
  return (
    <>
      <span class="before">{amountOf(before)}</span>
      <span aria-hidden="true"> → </span>
      <span class="visually-hidden"> became </span>
      <strong>{amountOf(after)}</strong>
    </>
  );
}

function amountOf(cell: Cell | undefined): string {
  return cell === undefined ? "no answer" : counted(cell.voucherAmount);
}
