import type { ComponentChildren, VNode } from "preact";
import { counted, counting } from "../../base/words.js";
import type { CertaintyWord } from "../../voucher/certainty.js";
import { wholeNumberText } from "../../voucher/field-schemas.js";
import type { Publication } from "../../voucher/publication-identity.js";
import type { Cell, Place } from "../../voucher/published-answers.js";
import { boundsOf, SEGMENT_KINDS, type SegmentKind, type Segments } from "../../voucher/segment-rules.js";
import { addressOf, answerAddress } from "./addresses.js";
import { KIND_NAMES, Name, Scrolling } from "./parts.js";
import type { ShownAnswer, ShownRow, ShownTables } from "./shown-answers.js";

/** The maximum number of rows in a table: a publication may have any number of countries. */
const COUNTRIES_SHOWN = 50;
const MOST_PAGES = 1_000_000;
const ROWS_OF_A_SCREEN = 8;

/** The unit of the bounds in the names of segments. */
const KIND_UNITS: Readonly<Record<SegmentKind, string>> = {
  frequent_segment: "orders",
  recency_segment: "days",
};

/** A segment with its unit: `13-37 orders`. */
export function segmentInWords({ kind, segment }: Pick<Place, "kind" | "segment">): string {
  return `${segment} ${KIND_UNITS[kind]}`;
}

/** The parameter with the page number. */
export const pageParameter = wholeNumberText(1, MOST_PAGES).optional();

/** One page of tables; the first one is 1. */
export interface TablesPage {
  readonly page: number;
  readonly pages: number;
  readonly tables: Readonly<Record<SegmentKind, TablePage>>;
  /** The countries of all tables on this page. */
  readonly countries: readonly string[];
  /** The number of counted answers on this page. */
  readonly count: number;
}

interface TablePage {
  readonly rows: readonly ShownRow[];
  /** The number of rows on the previous pages, and on all pages. */
  readonly skipped: number;
  readonly all: number;
}

/** The rows of one page, or of the last one if there are fewer pages. */
export function tablesPage(tables: ShownTables, asked = 1): TablesPage {
  const most = Math.max(...SEGMENT_KINDS.map((kind) => tables[kind].length));
  const pages = Math.max(1, Math.ceil(most / COUNTRIES_SHOWN));
  const page = Math.min(asked, pages);
  const skipped = (page - 1) * COUNTRIES_SHOWN;
  const cut = (kind: SegmentKind): TablePage => ({
    rows: tables[kind].slice(skipped, skipped + COUNTRIES_SHOWN),
    skipped,
    all: tables[kind].length,
  });
  const shown = { frequent_segment: cut("frequent_segment"), recency_segment: cut("recency_segment") };
  const rows = SEGMENT_KINDS.flatMap((kind) => shown[kind].rows);
  return {
    page,
    pages,
    tables: shown,
    countries: [...new Set(rows.map(({ countryCode }) => countryCode))],
    count: rows.flatMap(({ answers }) => [...answers.values()].filter(({ isCounted }) => isCounted)).length,
  };
}

interface GridsProps {
  readonly shown: TablesPage;
  readonly segments: Segments;
  readonly publication: Publication;
  /** The additional content of a cell next to the answer. */
  readonly beside?: (place: Place) => ComponentChildren;
}

/** Countries by segments, a table for each kind of segment. */
export function Grids(props: GridsProps): VNode {
  return (
    <>
      {SEGMENT_KINDS.map((kind) => (
        <Grid key={kind} kind={kind} {...props} />
      ))}
    </>
  );
}

function Grid({ kind, shown, segments, ...props }: GridsProps & { readonly kind: SegmentKind }): VNode {
  const { description, segments: ofKind } = segments[kind];
  const { rows, skipped, all } = shown.tables[kind];
  const heading = headingOf(kind);
  return (
    <section>
      <h2 id={heading}>{KIND_NAMES[kind]}</h2>
      <p class="about">
        {description}
        {rows.length < all && rows.length > 0 && (
          <>
            {" "}
            Countries {counted(skipped + 1)} to {counted(skipped + rows.length)} of {counted(all)}.
          </>
        )}
      </p>
      {rows.length === 0 ? (
        <p>
          {all === 0 ? "No answer here matches." : "All countries of this table are on the pages before."}
        </p>
      ) : (
        <Scrolling name={{ heading }}>
          <table class="grid">
            <thead>
              <tr>
                <th scope="col">Country</th>
                {ofKind.map(({ name }) => (
                  <th key={name} scope="col">
                    {name} <span class="bounds">{boundsOf(segments, kind, name)}</span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ countryCode, answers }) => (
                <tr key={countryCode}>
                  <th scope="row">
                    <Name>{countryCode}</Name>
                  </th>
                  {ofKind.map(({ name }) => (
                    <AnswerCell key={name} answer={answers.get(name)} {...props} />
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolling>
      )}
    </section>
  );
}

function headingOf(kind: SegmentKind): string {
  return `${kind}-heading`;
}

function AnswerCell({
  answer,
  publication,
  beside,
}: Pick<GridsProps, "publication" | "beside"> & { readonly answer: ShownAnswer | undefined }): VNode {
  if (answer === undefined) return <td class="none">no vouchers</td>;
  const { cell, before, hasChanged, isChosen } = answer;
  const classes = [
    isChosen ? (cell?.certainty?.word ?? "unknown") : "aside",
    hasChanged ? "changed" : "unchanged",
  ];
  const content = (
    <>
      <strong>{cell === undefined ? "no answer" : counted(cell.voucherAmount)}</strong>{" "}
      {cell !== undefined && <CertaintyOf cell={cell} />}{" "}
      {hasChanged && (
        <span class="was">{before === undefined ? "new" : `was ${counted(before.voucherAmount)}`}</span>
      )}
      {beside?.(answer)}
    </>
  );
  return (
    <td class={classes.join(" ")}>
      {cell === undefined ? (
        <div>{content}</div>
      ) : (
        <a href={answerAddress(answer, publication)} data-opens="dialog">
          {content}
        </a>
      )}
    </td>
  );
}

function CertaintyOf({ cell: { certainty, segmentAssignments } }: { readonly cell: Cell }): VNode | null {
  switch (certainty?.word) {
    case undefined:
      return null;
    case "sure":
      // The colour is enough for a sure answer, but a screen reader needs the word.
      return <span class="visually-hidden">sure</span>;
    case "likely":
      return <span>likely</span>;
    case "toss-up":
      return <span>{tossUpInWords(segmentAssignments)}</span>;
  }
}

/** `toss-up, on 6 vouchers`. */
export function tossUpInWords(vouchers: number): string {
  return `${"toss-up" satisfies CertaintyWord}, on ${counting(vouchers, "voucher")}`;
}

/** Links from the top of a page to its other tables, if the first one is longer than a screen. */
export function TableLinks({ shown }: { readonly shown: TablesPage }): VNode | null {
  const [first, ...others] = SEGMENT_KINDS;
  if (shown.tables[first].rows.length <= ROWS_OF_A_SCREEN) return null;
  return (
    <nav aria-label="Tables" class="paging">
      <span>Jump to</span>
      {others.map((kind) => (
        <a key={kind} href={`#${headingOf(kind)}`}>
          {KIND_NAMES[kind]}
        </a>
      ))}
    </nav>
  );
}

/** Links to the other countries, if they do not fit on one page. */
export function CountryPages({
  shown: { page, pages },
  path,
  query,
}: {
  readonly shown: TablesPage;
  readonly path: string;
  /** The other parameters of the page. */
  readonly query: Readonly<Record<string, string | undefined>>;
}): VNode | null {
  if (pages === 1) return null;
  const to = (other: number) => addressOf(path, { ...query, page: other.toString() });
  return (
    <nav aria-label="Countries" class="paging">
      {page > 1 && <a href={to(page - 1)}>Previous countries</a>}
      <span>
        Page {counted(page)} of {counted(pages)}
      </span>
      {page < pages && <a href={to(page + 1)}>More countries</a>}
    </nav>
  );
}
