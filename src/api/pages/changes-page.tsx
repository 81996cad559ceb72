import type { VNode } from "preact";
import * as z from "zod";
import { counted, counting } from "../../base/words.js";
import { readTimelines, type Timelines } from "../../consumption/amount-usage.js";
import { changesBetween, type Change } from "../../voucher/changes.js";
import { shortIso, type ExecutionDate } from "../../voucher/execution-date.js";
import type { Answers, Cell, Place } from "../../voucher/published-answers.js";
import { checked } from "../http/problems.js";
import type { Services } from "../http/services.js";
import { executionDate } from "../v1/field-schemas.js";
import { answerAddress, PAGES } from "./addresses.js";
import { PUBLICATIONS_SHOWN } from "./answer-page.js";
import { Sparkline } from "./charts/timeline.js";
import { ChoosePublication, publishedDates } from "./choose-publication.js";
import type { PageRoute } from "./frame.js";
import { countryPage, CountryPages, Grids, pageParameter, segmentInWords, type CellContent } from "./grid.js";
import { DateOf, Name } from "./parts.js";
import { askUnlessAway, unlessAway } from "./service-state.js";

/** As many are told one by one; all of them are in the tables below. */
const CHANGES_TOLD = 50;

const querySchema = z.object({
  execution_date: executionDate.optional(),
  against: executionDate.optional(),
  page: pageParameter,
});

/** Two publications beside each other, with the way each answer has gone. */
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
      const shown = countryPage(before === undefined ? [after] : [after, before], query.page ?? 1);
      const timelines = await askUnlessAway(services, (database) =>
        readTimelines(database, {
          until: date,
          publications: PUBLICATIONS_SHOWN,
          countries: shown.countries,
        }),
      );
      const compared: Compared = { after, before, timelines };
      return {
        title: "What changed?",
        scripts: ["answer-dialog.js"],
        body: (
          <>
            {dates.length > 1 && <Choose dates={dates} {...compared} />}
            <Summary {...compared} />
            <Grids
              countries={shown.countries}
              segments={after.segments}
              cell={(place) => comparedCell(place, compared)}
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
  /** Undefined where there is nothing to compare with, or where it cannot be asked for. */
  readonly before: Answers | undefined;
  /** Undefined where the database is away. */
  readonly timelines: Timelines | undefined;
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
        label="beside those of"
        dates={dates}
        chosen={before?.publication.executionDate}
      />
      <button type="submit">Compare</button>
    </form>
  );
}

function Summary({ after, before, timelines }: Compared): VNode {
  if (before === undefined)
    return (
      <p class="lead">There is no other publication to compare with{timelines === undefined && " now"}.</p>
    );
  const changes = changesBetween(before, after);
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
        {changes.slice(0, CHANGES_TOLD).map((change) => (
          <li key={`${change.kind} ${change.countryCode} ${change.segment}`}>
            <ChangeLine {...change} />
          </li>
        ))}
      </ul>
      {changes.length > CHANGES_TOLD && <p>The others are in the tables below.</p>}
    </>
  );
}

/** `Australia · 90-120 days: 5,720 → 2,200, on 9,761 vouchers`. */
function ChangeLine(change: Change): VNode {
  const { countryCode, before, after } = change;
  return (
    <>
      <Name>{countryCode}</Name> · {segmentInWords(change)}: <Amounts before={before} after={after} />, on{" "}
      {counting((after ?? before)?.segmentAssignments ?? 0, "voucher")}
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

function comparedCell(place: Place, { after, before, timelines }: Compared): CellContent {
  const [cell, earlier] = [after, before].map((answers) =>
    answers?.cell(place.kind, place.countryCode, place.segment),
  );
  if (cell === undefined && earlier === undefined) return { content: <span class="none">no vouchers</span> };
  const hasChanged = before !== undefined && cell?.voucherAmount !== earlier?.voucherAmount;
  const content = (
    <>
      {hasChanged ? <Amounts before={earlier} after={cell} /> : <span>{amountOf(cell)}</span>}
      {timelines !== undefined && <Sparkline amounts={timelines.amounts(place)} />}
    </>
  );
  return {
    class: hasChanged ? "changed" : "unchanged",
    content:
      cell === undefined ? (
        content
      ) : (
        <a href={answerAddress(place, after.publication)} data-opens="dialog">
          {content}
        </a>
      ),
  };
}
