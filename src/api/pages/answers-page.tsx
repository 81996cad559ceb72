import type { ComponentChildren, VNode } from "preact";
import * as z from "zod";
import { counted, counting, percent } from "../../base/words.js";
import { CERTAINTY_WORDS, type CertaintyScale, type CertaintyWord } from "../../voucher/certainty.js";
import { shortIso, type ExecutionDate } from "../../voucher/execution-date.js";
import { executionDate } from "../../voucher/field-schemas.js";
import type { Answers } from "../../voucher/published-answers.js";
import { checked } from "../http/problems.js";
import type { Services } from "../http/services.js";
import { addressOf, PAGES } from "./addresses.js";
import { ChoosePublication, publishedDates } from "./choose-publication.js";
import type { PageRoute } from "./frame.js";
import { CountryPages, Grids, pageParameter, TableLinks, tablesPage, type TablesPage } from "./grid.js";
import { ageInWords, DateOf, Name } from "./parts.js";
import { unlessAway } from "./service-state.js";
import {
  CHOICE,
  chooseAnswers,
  maybe,
  SORTS,
  type Choice,
  type ShownAnswers,
  type Sort,
} from "./shown-answers.js";

/** The parameters of the page, without the page number. */
export const answersQuery = z.object({ ...CHOICE, execution_date: maybe(executionDate) });

const querySchema = answersQuery.extend({ page: pageParameter });

/** The first page: every answer of a publication, its certainty, and the previous answer. */
export function answersPage(services: Services): PageRoute {
  return {
    path: PAGES.answers,
    menu: "Answers",
    open: async (request, { now, isAway }) => {
      const { page, execution_date: asked, ...choice } = checked(querySchema, request.query, "");
      const answers = await services.store.of(asked);
      const { publication } = answers;
      const before = isAway ? undefined : await unlessAway(services.store.before(publication.executionDate));
      const chosen = chooseAnswers(answers, before, choice);
      const shown = tablesPage(chosen.tables, page);
      const query = { execution_date: asked && shortIso(asked), ...choice };
      return {
        title: "Which voucher do we send?",
        shows: publication,
        scripts: ["answer-dialog.js"],
        body: (
          <>
            <p class="lead">
              As of <DateOf date={publication.executionDate} />, {ageInWords(publication.executionDate, now)}
            </p>
            <Counts chosen={chosen} before={before} isAway={isAway} query={query} />
            <Legend scale={answers.rules.certainty} />
            <Tools dates={await publishedDates(services)} date={publication.executionDate} choice={choice} />
            <Found chosen={chosen} shown={shown} query={query} />
            <TableLinks shown={shown} />
            {chosen.count > 0 && (
              <Grids shown={shown} segments={answers.segments} publication={publication} />
            )}
            <CountryPages shown={shown} path={PAGES.answers} query={query} />
          </>
        ),
      };
    },
  };
}

/** The parameters of the address, without the page number. */
type Query = Choice & { readonly execution_date: string | undefined };

interface CountsProps {
  readonly chosen: ShownAnswers;
  /** Undefined if there is none, or if the database is away. */
  readonly before: Answers | undefined;
  readonly isAway: boolean;
  readonly query: Query;
}

/** The number of answers of each kind. Each count links to those answers, or from there back to all of them. */
function Counts({ chosen: { all, byWord, changed }, before, isAway, query }: CountsProps): VNode {
  const { certainty, changed: isChangedOnly } = query;
  return (
    <ul class="counts">
      <Count
        text={counting(all, "answer")}
        to={{ ...query, certainty: undefined, changed: undefined }}
        isOn={certainty === undefined && isChangedOnly === undefined}
      />
      {byWord !== undefined &&
        CERTAINTY_WORDS.map((word) => (
          <Count
            key={word}
            kind={word}
            text={ofWord(byWord[word], word)}
            to={{ ...query, certainty: certainty === word ? undefined : word }}
            isOn={certainty === word}
          />
        ))}
      {before === undefined ? (
        <li>
          {isAway ? "Changes are not known while the database is away" : "Nothing was published before"}
        </li>
      ) : (
        <Count
          kind="changed"
          text={
            <>
              {counted(changed)} changed since <DateOf date={before.publication.executionDate} />
            </>
          }
          to={{ ...query, changed: isChangedOnly === undefined ? "yes" : undefined }}
          isOn={isChangedOnly !== undefined}
        />
      )}
    </ul>
  );
}

function Count({
  kind,
  text,
  to,
  isOn,
}: {
  readonly kind?: CertaintyWord | "changed";
  readonly text: ComponentChildren;
  readonly to: Query;
  readonly isOn: boolean;
}): VNode {
  return (
    <li>
      <a class={kind} href={addressOf(PAGES.answers, { ...to })} aria-current={isOn ? "true" : undefined}>
        {text}
      </a>
    </li>
  );
}

function ofWord(count: number, word: CertaintyWord): string {
  return word === "toss-up" ? counting(count, word) : `${counted(count)} ${word}`;
}

/** The meaning of the words, from the publication's own SQL version. */
function Legend({ scale }: { readonly scale: CertaintyScale | undefined }): VNode {
  if (scale === undefined)
    return (
      <p class="legend">The certainty of these answers is unknown: an older version of the SQL made them.</p>
    );
  const [sure, likely] = scale.words;
  return (
    <p class="legend">
      Chance that the same amount would win again: <b>sure</b> from {percent(sure.at_least)}, <b>likely</b>{" "}
      from {percent(likely.at_least)}, <b>toss-up</b> below.
    </p>
  );
}

const SORT_NAMES: Readonly<Record<Sort, string>> = {
  country: "Country",
  certainty: "Least certain first",
  change: "Largest changes first",
};

function Tools({
  dates,
  date,
  choice: { q, sort, certainty, changed },
}: {
  readonly dates: readonly ExecutionDate[];
  readonly date: ExecutionDate;
  readonly choice: Choice;
}): VNode {
  return (
    <form method="get" action={PAGES.answers} class="tools" role="search">
      <p class="field">
        <label for="q">Country</label>
        <input id="q" name="q" type="search" value={q} placeholder="Any country" autoComplete="off" />
      </p>
      <p class="field">
        <label for="sort">Sort by</label>
        <select id="sort" name="sort">
          {SORTS.map((name) => (
            <option key={name} value={name} selected={name === sort}>
              {SORT_NAMES[name]}
            </option>
          ))}
        </select>
      </p>
      {dates.length > 1 && (
        <ChoosePublication
          name="execution_date"
          label="Answers of"
          dates={dates}
          chosen={date}
          followsNewest
        />
      )}
      {certainty !== undefined && <input type="hidden" name="certainty" value={certainty} />}
      {changed !== undefined && <input type="hidden" name="changed" value={changed} />}
      <button type="submit">Show</button>
    </form>
  );
}

/** The selection of the answers, their number, and their number on this page. */
function Found({
  chosen: { count, countries },
  shown,
  query,
}: {
  readonly chosen: ShownAnswers;
  readonly shown: TablesPage;
  readonly query: Query;
}): VNode {
  const { page, pages } = shown;
  const { execution_date } = query;
  return (
    <p class="found">
      <strong>{choiceInWords(count, query)}</strong> in {counting(countries, "country", "countries")}
      {query.q !== undefined && (
        <>
          {" "}
          with “<Name>{query.q}</Name>” in the name
        </>
      )}
      {pages > 1 && `, ${counted(shown.count)} of them on page ${counted(page)} of ${counted(pages)}`}.{" "}
      {count === 0 ? (
        <a href={addressOf(PAGES.answers, { execution_date })}>Show all answers</a>
      ) : (
        <>
          <a href={addressOf(PAGES.answersCsv, { ...query })}>Download as CSV</a>,{" "}
          <a href={addressOf(PAGES.changes, { execution_date })}>compare publications</a>
        </>
      )}
    </p>
  );
}

/** `242 changed toss-ups`. */
function choiceInWords(count: number, { certainty, changed }: Choice): string {
  const words = [changed && "changed", certainty !== "toss-up" && certainty].filter(Boolean);
  return counting(count, [...words, certainty === "toss-up" ? certainty : "answer"].join(" "));
}
