import { scaleQuantize } from "d3-scale";
import type { VNode } from "preact";
import * as z from "zod";
import { counted, counting, percent } from "../../base/words.js";
import { countsInWords } from "../../record/answers.js";
import { countByWord } from "../../voucher/certainty.js";
import { changesBetween } from "../../voucher/changes.js";
import { shortIso } from "../../voucher/execution-date.js";
import type { Answers, Place } from "../../voucher/published-answers.js";
import { checked } from "../http/problems.js";
import type { Services } from "../http/services.js";
import { executionDate } from "../v1/field-schemas.js";
import { answerAddress, PAGES } from "./addresses.js";
import { ChoosePublication, publishedDates } from "./choose-publication.js";
import type { PageRoute } from "./frame.js";
import { countryPage, CountryPages, Grids, pageParameter, type CellContent } from "./grid.js";
import { ageInWords, DateOf } from "./parts.js";
import { unlessAway } from "./service-state.js";

const querySchema = z.object({
  execution_date: executionDate.optional(),
  page: pageParameter,
});

/** The first page: every answer of a publication at a glance, and how sure and how new they are. */
export function answersPage(services: Services): PageRoute {
  return {
    path: PAGES.answers,
    menu: "Answers",
    open: async (request, { now, isAway }) => {
      const query = checked(querySchema, request.query, "");
      const answers = await services.store.of(query.execution_date);
      const date = answers.publication.executionDate;
      const before = isAway ? undefined : await unlessAway(services.store.before(date));
      const dates = await publishedDates(services);
      const shown = countryPage([answers], query.page ?? 1);
      const heat = heatOf([...answers.cells()].map(({ cell }) => cell.voucherAmount));
      return {
        title: "Which voucher do we send?",
        scripts: ["answer-dialog.js"],
        body: (
          <>
            <AtAGlance answers={answers} before={before} age={ageInWords(date, now)} isAway={isAway} />
            {dates.length > 1 && (
              <form method="get" action={PAGES.answers} class="inline">
                <ChoosePublication name="execution_date" label="Answers of" dates={dates} chosen={date} />
                <button type="submit">Show</button>
              </form>
            )}
            <Legend heat={heat} />
            <Grids
              countries={shown.countries}
              segments={answers.segments}
              cell={(place) => heatCell(answers, place, heat)}
            />
            <CountryPages shown={shown} query={{ execution_date: shortIso(date) }} />
          </>
        ),
      };
    },
  };
}

interface AtAGlanceProps {
  readonly answers: Answers;
  /** Undefined where there is none, or where it cannot be asked for. */
  readonly before: Answers | undefined;
  readonly age: string;
  readonly isAway: boolean;
}

function AtAGlance({ answers, before, age, isAway }: AtAGlanceProps): VNode {
  const cells = [...answers.cells()];
  const certainty = countByWord(cells.map(({ cell }) => cell.certainty));
  const countries = new Set(cells.map(({ countryCode }) => countryCode)).size;
  // Every voucher is in one segment of each kind.
  const vouchers = cells
    .filter(({ kind }) => kind === "frequent_segment")
    .reduce((sum, { cell }) => sum + cell.segmentAssignments, 0);
  return (
    <dl class="glance">
      <div>
        <dt>As of</dt>
        <dd>
          <DateOf date={answers.publication.executionDate} />, {age}
        </dd>
      </div>
      <div>
        <dt>What and to whom</dt>
        <dd>
          {counting(cells.length, "answer")} for {counting(countries, "country", "countries")}, from{" "}
          {counting(vouchers, "voucher")}
        </dd>
      </div>
      <div>
        <dt>Certainty</dt>
        <dd>{certainty === undefined ? "Not known" : countsInWords(certainty)}</dd>
      </div>
      <div>
        <dt>What changed</dt>
        <dd>
          <Changed answers={answers} before={before} isAway={isAway} />
        </dd>
      </div>
    </dl>
  );
}

function Changed({ answers, before, isAway }: Omit<AtAGlanceProps, "age">): VNode {
  if (before === undefined)
    return <>{isAway ? "Not known while the database is away" : "Nothing was published before"}</>;
  const changes = changesBetween(before, answers).length;
  const { executionDate: date } = answers.publication;
  return (
    <>
      <a href={`${PAGES.changes}?execution_date=${encodeURIComponent(shortIso(date))}`}>
        {changes === 0 ? "Nothing" : counting(changes, "answer")}
      </a>{" "}
      since <DateOf date={before.publication.executionDate} />
    </>
  );
}

function Legend({ heat }: { readonly heat: Heat }): VNode {
  return (
    <div class="legend">
      <p>
        Each cell has the amount that is used most, and its share of the vouchers there. The colours go with
        the amount:
      </p>
      <ul>
        {heat.legend.map(({ name, from, to }) => (
          <li key={name} class={name}>
            {from === to ? counted(from) : `${counted(from)} to ${counted(to)}`}
          </li>
        ))}
      </ul>
    </div>
  );
}

function heatCell(answers: Answers, place: Place, heat: Heat): CellContent {
  const cell = answers.cell(place.kind, place.countryCode, place.segment);
  if (cell === undefined) return { content: <span class="none">no vouchers</span> };
  return {
    class: heat.classOf(cell.voucherAmount),
    content: (
      <a href={answerAddress(place, answers.publication)} data-opens="dialog">
        <strong>{counted(cell.voucherAmount)}</strong>{" "}
        <span class="share">{percent(cell.assignments / cell.segmentAssignments)}</span>{" "}
        {cell.certainty?.word !== "sure" && <span class="weak">{cell.certainty?.word}</span>}
      </a>
    ),
  };
}

/** The steps of the heat map, which the style gives colours: `heat-1` for the lowest amounts. */
const STEPS = [1, 2, 3, 4, 5, 6] as const;

/** The colours of amounts. */
interface Heat {
  /** The class of an amount's colour. */
  readonly classOf: (amount: number) => string;
  /** Each colour that some amount has, with the lowest and the highest of them. */
  readonly legend: readonly { readonly name: string; readonly from: number; readonly to: number }[];
}

/** Spreads the colours over the amounts by their order: one that is far above the others leaves them their differences. */
export function heatOf(amounts: Iterable<number>): Heat {
  const known = [...new Set(amounts)].sort((a, b) => a - b);
  const step = scaleQuantize<number>([0, Math.max(1, known.length - 1)], STEPS);
  const steps = new Map(known.map((amount, index) => [amount, step(index)]));
  const classOf = (amount: number) => `heat-${String(steps.get(amount) ?? STEPS[0])}`;
  const legend = STEPS.flatMap((colour) => {
    const [from, ...more] = known.filter((amount) => steps.get(amount) === colour);
    return from === undefined ? [] : [{ name: `heat-${colour}`, from, to: more.at(-1) ?? from }];
  });
  return { classOf, legend };
}
