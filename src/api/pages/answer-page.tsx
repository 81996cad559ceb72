import type { VNode } from "preact";
import * as z from "zod";
import { counted, counting, percent } from "../../base/words.js";
import { readAmountUse, readTimelines, type AmountUse } from "../../consumption/amount-usage.js";
import { chanceInWords } from "../../record/answers.js";
import { shortIso } from "../../voucher/execution-date.js";
import { executionDate } from "../../voucher/field-schemas.js";
import type { Answers, Cell, Place } from "../../voucher/published-answers.js";
import { boundsOf, SEGMENT_KINDS } from "../../voucher/segment-rules.js";
import { checked } from "../http/problems.js";
import type { Services } from "../http/services.js";
import { addressOf, PAGES } from "./addresses.js";
import { Bars, type Bar } from "./charts/bars.js";
import { Timeline, type TimelineProps } from "./charts/timeline.js";
import type { PageRoute } from "./frame.js";
import { segmentInWords } from "./grid.js";
import { DateOf, KIND_NAMES, Name } from "./parts.js";
import { askUnlessAway } from "./service-state.js";

/** Few segments have more of them; the others are one bar. */
const AMOUNTS_SHOWN = 20;
export const PUBLICATIONS_SHOWN = 30;
const MAX_NAME_LENGTH = 1_000;

const querySchema = z.object({
  country_code: z.string().max(MAX_NAME_LENGTH),
  segment_name: z.enum(SEGMENT_KINDS, `must be ${SEGMENT_KINDS.join(" or ")}`),
  segment: z.string().max(MAX_NAME_LENGTH),
  execution_date: executionDate.optional(),
});

/** One answer: its basis, its certainty, and its history. */
export function answerPage(services: Services): PageRoute {
  return {
    path: PAGES.answer,
    open: async (request) => {
      const query = checked(querySchema, request.query, "");
      const place = { countryCode: query.country_code, kind: query.segment_name, segment: query.segment };
      const answers = await services.store.of(query.execution_date);
      const { publication } = answers;
      const cell = answers.cell(place.kind, place.countryCode, place.segment);
      if (cell === undefined) return noVouchers(place);
      const amounts = await askUnlessAway(services, (database) =>
        readAmountUse(database, publication, place, AMOUNTS_SHOWN),
      );
      const timelines = await askUnlessAway(services, (database) =>
        readTimelines(database, {
          until: publication.executionDate,
          publications: PUBLICATIONS_SHOWN,
          countries: [place.countryCode],
        }),
      );
      return {
        title: `${place.countryCode}, ${segmentInWords(place)}: ${counted(cell.voucherAmount)}`,
        shows: publication,
        scripts: ["answer-dialog.js"],
        body: (
          <>
            <Facts answers={answers} place={place} cell={cell} />
            <Distribution cell={cell} amounts={amounts} />
            {timelines !== undefined && timelines.dates.length > 1 && (
              <History dates={timelines.dates} amounts={timelines.amounts(place)} />
            )}
            <p class="onwards">
              <a href={addressOf(PAGES.answers, { execution_date: shortIso(publication.executionDate) })}>
                All answers of this date
              </a>
            </p>
          </>
        ),
      };
    },
  };
}

function noVouchers({ countryCode, segment }: Place) {
  return {
    title: "No voucher for this country and segment",
    status: 404,
    body: (
      <p>
        The data has no voucher for <Name>{countryCode}</Name> in the segment <Name>{segment}</Name>, so there
        is no answer. <a href={PAGES.answers}>All answers</a>
      </p>
    ),
  };
}

function Facts({
  answers: { segments, publication },
  place: { countryCode, kind, segment },
  cell,
}: {
  readonly answers: Answers;
  readonly place: Place;
  readonly cell: Cell;
}): VNode {
  const { voucherAmount, assignments, segmentAssignments, runnerUp, certainty } = cell;
  const margin = assignments - (runnerUp?.assignments ?? 0);
  return (
    <>
      <p class="lead">
        Customers in <Name>{countryCode}</Name> in the segment <strong>{segment}</strong> (
        {KIND_NAMES[kind].toLowerCase()}, {boundsOf(segments, kind, segment)}) get{" "}
        <strong>{counted(voucherAmount)}</strong>, the amount used most as of{" "}
        <DateOf date={publication.executionDate} />.
      </p>
      <dl class="glance">
        <div>
          <dt>Certainty</dt>
          <dd>
            {certainty === undefined
              ? "Not known"
              : `${certainty.word}: ${chanceInWords(certainty.chance)} chance that this amount would win again`}
          </dd>
        </div>
        <div>
          <dt>Share</dt>
          <dd>
            {percent(assignments / segmentAssignments)}, {counted(assignments)} of{" "}
            {counting(segmentAssignments, "voucher")}
          </dd>
        </div>
        <div>
          <dt>Runner-up</dt>
          <dd>
            {runnerUp === undefined
              ? "No other amount is used"
              : `${counted(runnerUp.voucherAmount)}, on ${counting(runnerUp.assignments, "voucher")}`}
          </dd>
        </div>
        <div>
          <dt>Margin</dt>
          <dd>
            {counting(margin, "voucher")}, {percent(margin / segmentAssignments)}
          </dd>
        </div>
      </dl>
    </>
  );
}

/** @param amounts undefined while the database is away: the answer and its runner-up are in memory. */
function Distribution({
  cell,
  amounts,
}: {
  readonly cell: Cell;
  readonly amounts: readonly AmountUse[] | undefined;
}): VNode {
  const known = amounts ?? [cell, ...(cell.runnerUp === undefined ? [] : [cell.runnerUp])];
  const others = cell.segmentAssignments - known.reduce((sum, { assignments }) => sum + assignments, 0);
  const bar = (label: string, assignments: number, isMarked: boolean): Bar => ({
    label,
    value: assignments,
    texts: [counted(assignments), percent(assignments / cell.segmentAssignments)],
    isMarked,
  });
  return (
    <>
      <Bars
        caption="How often each amount was used here"
        headings={["Amount", "Vouchers", "Share"]}
        bars={[
          ...known.map(({ voucherAmount, assignments }) =>
            bar(counted(voucherAmount), assignments, voucherAmount === cell.voucherAmount),
          ),
          ...(others > 0 ? [bar("all others", others, false)] : []),
        ]}
      />
      {amounts === undefined && <p>The other amounts are not known while the database is away.</p>}
    </>
  );
}

function History({ dates, amounts }: TimelineProps): VNode {
  return (
    <figure>
      <figcaption>The amount over the last {counting(dates.length, "publication")}</figcaption>
      <Timeline dates={dates} amounts={amounts} />
    </figure>
  );
}
