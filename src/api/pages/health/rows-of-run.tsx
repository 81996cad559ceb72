import type { VNode } from "preact";
import { counted, percent } from "../../../base/words.js";
import { Flow, type Stream } from "../charts/flow.js";
import { Name, Scrolling } from "../parts.js";
import { OfRun, type PastRun } from "./past-runs.js";
import type { RejectReason, RowCounts } from "./run-record.js";

/** More of them would be too thin to be told apart; the table has all. */
const REASONS_DRAWN = 8;
const LEAST_SHARE = 0.001;

interface RowsProps {
  readonly run: PastRun;
  readonly rows: RowCounts;
  readonly now: Date;
}

/** What became of the rows that a run read, as a picture and in numbers. */
export function Rows({ run, rows, now }: RowsProps): VNode {
  const { reasons } = run.record;
  const { read, curated, rejected, outOfScope } = rows;
  const stream = {
    label: "rows read",
    value: read,
    parts: [
      { label: "curated", value: curated ?? 0, kind: "kept" },
      { label: "out of scope", value: outOfScope ?? 0, kind: "aside" },
      { label: "rejected", value: rejected ?? 0, kind: "lost", parts: drawn(reasons) },
    ],
  };
  return (
    <section>
      <h2 id="rows-heading">What became of the rows</h2>
      <OfRun run={run} now={now} />
      <div class="beside">
        <Flow stream={stream} />
        <Scrolling name={{ heading: "rows-heading" }}>
          <table class="listing">
            <thead>
              <tr>
                <th scope="col">Rows</th>
                <th scope="col" class="number">
                  Number
                </th>
                <th scope="col" class="number">
                  Share
                </th>
              </tr>
            </thead>
            <tbody>
              <Counted name="Read" rows={read} of={read} />
              <Counted name="Curated: the answers rest on them" rows={curated} of={read} />
              <Counted name="Out of scope: not known yet at the execution date" rows={outOfScope} of={read} />
              <Counted name="Rejected: a value is missing or invalid" rows={rejected} of={read} />
              {reasons.map(({ reason, rejected: ofReason }) => (
                <tr key={reason} class="within">
                  <th scope="row">
                    <Name>{reason}</Name>
                  </th>
                  <Shared rows={ofReason} of={read} />
                </tr>
              ))}
            </tbody>
          </table>
          <CountedTwice reasons={reasons} rejected={rejected} />
        </Scrolling>
      </div>
    </section>
  );
}

function Counted({
  name,
  rows,
  of,
}: {
  readonly name: string;
  readonly rows: number | undefined;
  readonly of: number;
}): VNode | null {
  if (rows === undefined) return null;
  return (
    <tr>
      <th scope="row">{name}</th>
      <Shared rows={rows} of={of} />
    </tr>
  );
}

function Shared({ rows, of }: { readonly rows: number; readonly of: number }): VNode {
  return (
    <>
      <td class="number">{counted(rows)}</td>
      <td class="number">{of > 0 && shareInWords(rows / of)}</td>
    </>
  );
}

/** Of many rows a few are not none. */
function shareInWords(share: number): string {
  return share > 0 && share < LEAST_SHARE ? `under ${percent(LEAST_SHARE)}` : percent(share);
}

function CountedTwice({
  reasons,
  rejected,
}: {
  readonly reasons: readonly RejectReason[];
  readonly rejected: number | undefined;
}): VNode | null {
  const sum = sumOf(reasons);
  if (rejected === undefined || sum <= rejected) return null;
  return (
    <p>
      <small>
        A row with two reasons counts under both: together they are {counted(sum)}, more than the{" "}
        {counted(rejected)} that were rejected. The picture has them in proportion.
      </small>
    </p>
  );
}

function drawn(reasons: readonly RejectReason[]): Stream[] {
  const others = sumOf(reasons.slice(REASONS_DRAWN));
  return [
    ...reasons.slice(0, REASONS_DRAWN).map(({ reason, rejected }) => ({ label: reason, value: rejected })),
    ...(others > 0 ? [{ label: "other reasons", value: others }] : []),
  ];
}

function sumOf(reasons: readonly RejectReason[]): number {
  return reasons.reduce((sum, { rejected }) => sum + rejected, 0);
}

/** Which values were at fault, and where they came from. */
export function RejectedExamples({ run: { record } }: { readonly run: PastRun }): VNode | null {
  if (record.rejectedExamples.length === 0) return null;
  return (
    <section>
      <h2 id="rejected-heading">Rejected rows, by reason and country</h2>
      <p>The largest groups, each with the value at fault of one of its rows, as it came.</p>
      <Scrolling name={{ heading: "rejected-heading" }}>
        <table class="listing">
          <thead>
            <tr>
              <th scope="col">Reason</th>
              <th scope="col">Country</th>
              <th scope="col" class="number">
                Rejected
              </th>
              <th scope="col">Example</th>
              <th scope="col">File</th>
            </tr>
          </thead>
          <tbody>
            {record.rejectedExamples.map(({ reason, country, rejected, value, file }, index) => (
              <tr key={index}>
                <th scope="row">
                  <Name>{reason}</Name>
                </th>
                <td>
                  <RawValue text={country} otherwise="cannot be read" />
                </td>
                <td class="number">{counted(rejected)}</td>
                <td class="long">
                  <RawValue text={value} otherwise="missing" />
                </td>
                <td class="long">
                  <RawValue text={file} otherwise="not known" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolling>
    </section>
  );
}

function RawValue({ text, otherwise }: { readonly text: string | null; readonly otherwise: string }): VNode {
  if (text === null) return <span class="none">{otherwise}</span>;
  return text.trim() === "" ? <span class="none">blank</span> : <Name>{text}</Name>;
}
