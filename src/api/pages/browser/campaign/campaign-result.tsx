import type { ComponentChildren, VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { counted, counting, percent } from "../../../../base/words.js";
import { SEGMENT_KINDS } from "../../../../voucher/segment-kinds.js";
import type { PricedLine, PriceGroup } from "../../../v1/campaign-schema.js";
import type { CampaignScriptData } from "../../campaign-script-data.js";
import { type Bar, Bars } from "../../charts/bars.js";
import { KIND_NAMES, Name, Scrolling } from "../../parts.js";
import { useFocus } from "./hooks.js";
import { type Campaign, gathered, type Gathered } from "./pricing.js";
import { fileSize } from "./stage-words.js";

interface ResultProps {
  readonly campaign: Campaign;
  readonly file: File;
  readonly segments: CampaignScriptData["segments"];
}

/** What a file comes to. */
export function Result({ campaign: { summary, faulty, csv, seconds }, file, segments }: ResultProps): VNode {
  const heading = useFocus<HTMLHeadingElement>();
  const { lines, priced, without_amount, total_amount, groups = [] } = summary;
  const hasOneCurrency = new Set(groups.map(({ country_code }) => country_code)).size <= 1;
  return (
    <section class="stage" aria-labelledby="result-heading">
      <h2 id="result-heading" ref={heading} tabIndex={-1}>
        {hasOneCurrency
          ? `The campaign comes to ${counted(total_amount)}`
          : `The campaign has ${counting(priced, "customer")} with an amount`}
      </h2>
      {!hasOneCurrency && (
        <p>
          Each country has its own currency, so there is no total. The table below has one for each country.
        </p>
      )}
      <dl class="glance">
        <div>
          <dt>Customers</dt>
          <dd>
            {counted(lines)}, in {counting(Math.max(1, Math.round(seconds)), "second")}
          </dd>
        </div>
        <div>
          <dt>With an amount</dt>
          <dd>{ofAll(priced, lines)}</dd>
        </div>
        <div>
          <dt>Without an amount</dt>
          <dd>{ofAll(without_amount, lines)}</dd>
        </div>
        <div>
          <dt>Faulty</dt>
          <dd>{ofAll(summary.faulty, lines)}</dd>
        </div>
      </dl>
      <DownloadLink csv={csv} name={file.name} />
      {groups.length > 0 && <GroupBars groups={groups} segments={segments} />}
      {faulty.length > 0 && <FaultyTable lines={faulty} all={summary.faulty} />}
    </section>
  );
}

function ofAll(number: number, all: number): string {
  return number === 0 ? "None" : `${counted(number)}, ${percent(number / all)}`;
}

/** Gives the priced file to whoever has sent it. */
function DownloadLink({ csv, name }: { readonly csv: Blob; readonly name: string }): VNode | null {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(csv);
    setAddress(made);
    return () => {
      URL.revokeObjectURL(made);
    };
  }, [csv]);
  if (address === undefined) return null;
  return (
    <p>
      <a class="button" href={address} download={pricedName(name)}>
        Download the priced file
      </a>{" "}
      <small>CSV, {fileSize(csv.size)}</small>
    </p>
  );
}

/** `customers.csv.gz` comes back as `customers-priced.csv`. */
function pricedName(name: string): string {
  return `${name.replace(/(\.csv|\.txt)?(\.gz)?$/i, "")}-priced.csv`;
}

const COUNTRIES_SHOWN = 20;

interface GroupBarsProps {
  readonly groups: readonly PriceGroup[];
  /** The names of the segments, in their order. */
  readonly segments: CampaignScriptData["segments"];
}

/** Where the amount goes: by country, and by segment. */
function GroupBars({ groups, segments }: GroupBarsProps): VNode {
  const countries = gathered(groups, ({ country_code }) => country_code).sort(
    (one, other) => other.total_amount - one.total_amount,
  );
  const shown = countries.slice(0, COUNTRIES_SHOWN);
  const others = countries.slice(COUNTRIES_SHOWN);
  return (
    <div class="charts">
      <Bars
        caption="By country"
        headings={["Country", "Customers", "Amount"]}
        bars={[
          ...shown.map(({ key, ...sums }) => barOf(key === null ? "not known" : <Name>{key}</Name>, sums)),
          ...gathered(others, () => null).map((sums) => barOf(`${counted(others.length)} others`, sums)),
        ]}
      />
      {SEGMENT_KINDS.filter((kind) => groups.some(({ segment_name }) => segment_name === kind)).map(
        (kind) => {
          const ofKind = gathered(
            groups.filter(({ segment_name }) => segment_name === kind),
            ({ segment }) => segment,
          );
          const place = ({ key }: Gathered<string>) => segments[kind].indexOf(key);
          return (
            <Bars
              key={kind}
              caption={KIND_NAMES[kind]}
              headings={["Segment", "Customers", "Amount"]}
              bars={ofKind
                .sort((one, other) => place(one) - place(other))
                .map(({ key, ...sums }) => barOf(key, sums))}
            />
          );
        },
      )}
    </div>
  );
}

function barOf(
  label: ComponentChildren,
  { customers, total_amount }: Pick<Gathered<unknown>, "customers" | "total_amount">,
): Bar {
  return { label, value: total_amount, texts: [counted(customers), counted(total_amount)], isMarked: false };
}

interface FaultyTableProps {
  /** The first of them. */
  readonly lines: readonly PricedLine[];
  readonly all: number;
}

/** The lines that are faulty, and what is wrong with them. */
function FaultyTable({ lines, all }: FaultyTableProps): VNode {
  return (
    <>
      <h3 id="faulty-heading">
        {lines.length < all
          ? `The first ${counted(lines.length)} of ${counted(all)} faulty lines`
          : "Faulty lines"}
      </h3>
      {lines.length < all && <p>The priced file has all of them.</p>}
      <Scrolling name={{ heading: "faulty-heading" }} isTall>
        <table class="lines" aria-labelledby="faulty-heading">
          <thead>
            <tr>
              <th scope="col">Line</th>
              <th scope="col">Customer</th>
              <th scope="col">Country</th>
              <th scope="col">What is wrong</th>
            </tr>
          </thead>
          <tbody>
            {lines.map(({ line, customer_id, country_code, error }) => (
              <tr key={line} class="faulty">
                <th scope="row">{counted(line)}</th>
                <td>
                  <Name>{customer_id}</Name>
                </td>
                <td>
                  <Name>{country_code}</Name>
                </td>
                <td>{error}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolling>
    </>
  );
}
