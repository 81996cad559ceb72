import type { ComponentChildren, VNode } from "preact";
import { compareCodePoints, counted } from "../../base/words.js";
import type { Answers, Place } from "../../voucher/published-answers.js";
import { boundsOf, SEGMENT_KINDS, type SegmentKind, type Segments } from "../../voucher/segment-rules.js";
import { wholeNumberText } from "../v1/field-schemas.js";
import { PAGES } from "./addresses.js";
import { KIND_NAMES, Name, Scrolling } from "./parts.js";

/** As many rows as a page shows at once: a publication may have any number of countries. */
export const COUNTRIES_SHOWN = 50;
const MOST_PAGES = 1_000_000;

/** What the bounds in the names of segments count. */
const KIND_UNITS: Readonly<Record<SegmentKind, string>> = {
  frequent_segment: "orders",
  recency_segment: "days",
};

/** A segment as people call it where its kind is not said beside it: `13-37 orders`. */
export function segmentInWords({ kind, segment }: Pick<Place, "kind" | "segment">): string {
  return `${segment} ${KIND_UNITS[kind]}`;
}

/** The parameter that asks for one page of the countries. */
export const pageParameter = wholeNumberText(1, MOST_PAGES).optional();

/** Some of the countries of a publication, in the order of their names. */
export interface CountryPage {
  readonly countries: readonly string[];
  readonly page: number;
  readonly pages: number;
}

/** The countries of some publications that stand on one page, the first one being 1. */
export function countryPage(publications: readonly Answers[], asked: number): CountryPage {
  const names = publications.flatMap((answers) => [...answers.cells()].map(({ countryCode }) => countryCode));
  const all = [...new Set(names)].sort(compareCodePoints);
  const pages = Math.max(1, Math.ceil(all.length / COUNTRIES_SHOWN));
  const page = Math.min(asked, pages);
  return { countries: all.slice((page - 1) * COUNTRIES_SHOWN, page * COUNTRIES_SHOWN), page, pages };
}

/** What stands in a cell, with the class of its colour. */
export interface CellContent {
  readonly content: ComponentChildren;
  readonly class?: string;
}

interface GridProps {
  readonly countries: readonly string[];
  readonly segments: Segments;
  readonly cell: (place: Place) => CellContent;
}

/** Countries by segments, once for each kind of segment. */
export function Grids(props: GridProps): VNode {
  return (
    <>
      {SEGMENT_KINDS.map((kind) => (
        <Grid key={kind} kind={kind} {...props} />
      ))}
    </>
  );
}

function Grid({ kind, countries, segments, cell }: GridProps & { readonly kind: SegmentKind }): VNode {
  const { description, segments: ofKind } = segments[kind];
  const heading = `${kind}-heading`;
  return (
    <section>
      <h2 id={heading}>{KIND_NAMES[kind]}</h2>
      <p>{description}</p>
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
            {countries.map((countryCode) => (
              <tr key={countryCode}>
                <th scope="row">
                  <Name>{countryCode}</Name>
                </th>
                {ofKind.map(({ name: segment }) => {
                  const { content, class: colour } = cell({ countryCode, kind, segment });
                  return (
                    <td key={segment} class={colour}>
                      {content}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolling>
    </section>
  );
}

/** Leads to the other countries, where there are more than one page has room for. */
export function CountryPages({
  shown: { page, pages },
  path = PAGES.answers,
  query,
}: {
  readonly shown: CountryPage;
  readonly path?: string;
  /** What else the page was asked for. */
  readonly query: Readonly<Record<string, string>>;
}): VNode | null {
  if (pages === 1) return null;
  const to = (other: number) =>
    `${path}?${new URLSearchParams({ ...query, page: other.toString() }).toString()}`;
  return (
    <nav aria-label="Countries" class="paging">
      {page > 1 && <a href={to(page - 1)}>Countries before</a>}
      <span>
        Page {counted(page)} of {counted(pages)}
      </span>
      {page < pages && <a href={to(page + 1)}>More countries</a>}
    </nav>
  );
}
