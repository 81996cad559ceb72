import type { RequestHandler } from "express";
import type { ComponentChildren, VNode } from "preact";
import { counted, counting, percent } from "../../../base/words.js";
import { CERTAINTY_WORDS } from "../../../voucher/certainty.js";
import { CSV_TYPE } from "../../http/bodies.js";
import { Problem, PROBLEMS } from "../../http/problems.js";
import { PAGES } from "../addresses.js";
import { type Bar, Bars } from "../charts/bars.js";
import type { Page, PageRoute } from "../frame.js";
import { DateOf, FieldErrors, KIND_NAMES, Name, Notice, Scrolling } from "../parts.js";
import type { Findings, ShownLine, Sum } from "./campaign-findings.js";
import { campaignOf } from "./campaign-page.js";
import type { StoredCampaign, StoredCampaigns } from "./stored-campaigns.js";

const REFRESH_SECONDS = 2;

/** The page of one campaign: how far it is, or its result. */
export function campaignResultPage(campaigns: StoredCampaigns): PageRoute {
  return {
    path: `${PAGES.campaign}/:id`,
    open: (request) => {
      const campaign = campaignOf(campaigns, request);
      return campaign === undefined ? GONE : pageOf(campaign);
    },
  };
}

/** Sends the priced file. */
export function sendPricedFile(campaigns: StoredCampaigns): RequestHandler {
  return (request, response) => {
    const { stage, upload } = campaignOf(campaigns, request) ?? {};
    if (stage?.name !== "priced" || upload === undefined)
      throw new Problem("not-found", "This campaign is no longer here. Send its file again.");
    response.type(CSV_TYPE).set("Cache-Control", "no-store").attachment(pricedName(upload.name));
    response.sendFile(stage.file, { cacheControl: false, dotfiles: "allow", lastModified: false });
  };
}

/** `customers.csv.gz` comes back as `customers-priced.csv`. */
function pricedName(name: string): string {
  return `${name.replace(/(\.csv|\.txt|\.tsv)?(\.gz)?$/i, "")}-priced.csv`;
}

const GONE: Page = {
  title: "This upload is no longer here",
  status: 404,
  body: (
    <>
      <p class="lead">The service keeps a file for an hour. A service that is started again has no files.</p>
      <p>
        <a class="button" href={PAGES.campaign}>
          Send it again
        </a>
      </p>
    </>
  ),
};

function pageOf(campaign: StoredCampaign): Page {
  const { id, stage, upload } = campaign;
  switch (stage.name) {
    case "pricing":
      return {
        title: "Pricing the file",
        refreshSeconds: REFRESH_SECONDS,
        body: (
          <section class="stage">
            <progress aria-label="Pricing the file" value={stage.bytesRead} max={upload.bytes} />
            <p class="pace" role="status">
              {counting(stage.lines, "line")}, {megabytes(stage.bytesRead)} of {megabytes(upload.bytes)} MB
              read
            </p>
            <p>This page shows the result when it is ready.</p>
          </section>
        ),
      };
    case "failed":
      return {
        title: "The file cannot be priced",
        status: PROBLEMS[stage.problem.type].status,
        body: <Failure problem={stage.problem} />,
      };
    case "priced":
      return {
        title: `The result of ${upload.name}`,
        body: (
          <Result
            findings={stage.findings}
            address={`${PAGES.campaign}/${id}/priced.csv`}
            bytes={stage.bytes}
          />
        ),
      };
  }
}

function megabytes(bytes: number): string {
  return (bytes > 0 ? Math.max(0.1, bytes / 1_000_000) : 0).toFixed(1);
}

function Failure({ problem: { detail, errors } }: { readonly problem: Problem }): VNode {
  return (
    <>
      <Notice kind="bad">{detail}</Notice>
      <FieldErrors errors={errors} />
      <p>
        <a class="button" href={PAGES.campaign}>
          Send another file
        </a>
      </p>
    </>
  );
}

interface ResultProps {
  readonly findings: Findings;
  readonly address: string;
  readonly bytes: number;
}

function Result({ findings, address, bytes }: ResultProps): VNode {
  const { totals, hasOneCurrency, executionDate, seconds, first, faulty } = findings;
  const { lines, priced, without_amount, total_amount } = totals;
  return (
    <section class="stage" aria-labelledby="result-heading">
      <h2 id="result-heading">
        {hasOneCurrency
          ? `The campaign costs ${counted(total_amount)}`
          : `The campaign has ${counting(priced, "customer")} with an amount`}
      </h2>
      {!hasOneCurrency && (
        <p>
          Each country has its own currency, so there is no total. The table below has the cost by country.
        </p>
      )}
      <dl class="glance">
        <Fact name="Customers">
          {counted(lines)}, in {counting(Math.max(1, Math.round(seconds)), "second")}
        </Fact>
        <Fact name="With an amount">{ofAll(priced, lines)}</Fact>
        <Fact name="Without an amount">{ofAll(without_amount, lines)}</Fact>
        <Fact name="Faulty">{ofAll(totals.faulty, lines)}</Fact>
      </dl>
      <Certainty totals={totals} />
      <p>
        <a class="button" href={address} download>
          Download the priced file
        </a>{" "}
        <small>
          CSV, {megabytes(bytes)} MB. By the answers of <DateOf date={executionDate} />
        </small>
      </p>
      <Groups findings={findings} />
      {faulty.length > 0 && (
        <LinesTable
          id="faulty-heading"
          areFaulty
          heading={
            faulty.length < totals.faulty
              ? `The first ${counted(faulty.length)} of ${counted(totals.faulty)} faulty lines`
              : "Faulty lines"
          }
          lines={faulty}
        />
      )}
      {first.length > 0 && (
        <LinesTable
          id="first-heading"
          heading={`The first ${counting(first.length, "line")}`}
          lines={first}
        />
      )}
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function ofAll(number: number, all: number): string {
  return number === 0 ? "None" : `${counted(number)}, ${percent(number / all)}`;
}

/** How many amounts rest on answers of each certainty. */
function Certainty({ totals: { certainty, priced } }: { readonly totals: Findings["totals"] }): VNode | null {
  if (certainty === null || priced === 0) return null;
  const counts = CERTAINTY_WORDS.map((word) => [word, certainty[word] ?? 0] as const);
  const ofCountry = counts.reduce((rest, [, count]) => rest - count, priced);
  return (
    <>
      <h3 id="certainty-heading">The amounts by the certainty of their answers</h3>
      <ul class="counts" aria-labelledby="certainty-heading">
        {counts.map(([word, count]) => (
          <li key={word}>
            <span class={word}>
              {counted(count)} {word}
            </span>
          </li>
        ))}
        {ofCountry > 0 && (
          <li>
            <span class="unknown">{counted(ofCountry)} by the country</span>
          </li>
        )}
      </ul>
    </>
  );
}

/** The customers and amounts by country, and by segment. */
function Groups({ findings: { countries, others, segments } }: Pick<ResultProps, "findings">): VNode | null {
  if (countries.length === 0) return null;
  return (
    <div class="charts">
      <Bars
        caption="By country"
        headings={["Country", "Customers", "Amount"]}
        bars={[
          ...countries.map(({ name, ...sum }) => barOf(name === null ? "unknown" : <Name>{name}</Name>, sum)),
          ...(others === undefined ? [] : [barOf(`${counted(others.countries)} others`, others)]),
        ]}
      />
      {segments.map(({ kind, sums }) => (
        <Bars
          key={kind}
          caption={KIND_NAMES[kind]}
          headings={["Segment", "Customers", "Amount"]}
          bars={sums.map(({ name, ...sum }) => barOf(name, sum))}
        />
      ))}
    </div>
  );
}

function barOf(label: ComponentChildren, { customers, amount }: Sum): Bar {
  return { label, value: amount, texts: [counted(customers), counted(amount)], isMarked: false };
}

interface LinesTableProps {
  readonly id: string;
  readonly heading: string;
  readonly areFaulty?: boolean;
  readonly lines: readonly ShownLine[];
}

/** Lines of the file with their answers, or with their faults. */
function LinesTable({ id, heading, areFaulty = false, lines }: LinesTableProps): VNode {
  return (
    <>
      <h3 id={id}>{heading}</h3>
      <Scrolling name={{ heading: id }} isTall>
        <table class="lines" aria-labelledby={id}>
          <thead>
            <tr>
              <th scope="col">Line</th>
              <th scope="col">First column</th>
              <th scope="col">Country</th>
              {areFaulty ? (
                <th scope="col" colSpan={3}>
                  Fault
                </th>
              ) : (
                <>
                  <th scope="col">Segment</th>
                  <th scope="col" class="number">
                    Amount
                  </th>
                  <th scope="col">Certainty</th>
                </>
              )}
            </tr>
          </thead>
          <tbody>
            {lines.map(({ line, first, country, segment, amount, certainty, reason }) => (
              <tr key={line} class={segment === null ? "faulty" : undefined}>
                <th scope="row">{counted(line)}</th>
                <td>
                  <Name>{first}</Name>
                </td>
                <td>
                  <Name>{country}</Name>
                </td>
                {segment === null ? (
                  <td colSpan={3}>{reason}</td>
                ) : (
                  <>
                    <td>{segment}</td>
                    <td class="number">{amount === null ? "none" : counted(amount)}</td>
                    <td>{reason ?? certainty ?? "by the country"}</td>
                  </>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolling>
    </>
  );
}
