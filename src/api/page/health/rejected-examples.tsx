import type { VNode } from "preact";
import { counted } from "../../../base/words.js";
import { Scrolling } from "../scrolling.js";
import { Name } from "../words.js";
import type { PastRun } from "./past-run.js";

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
                  <Given text={country} otherwise="cannot be read" />
                </td>
                <td class="number">{counted(rejected)}</td>
                <td class="long">
                  <Given text={value} otherwise="missing" />
                </td>
                <td class="long">
                  <Given text={file} otherwise="not known" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolling>
    </section>
  );
}

function Given({ text, otherwise }: { readonly text: string | null; readonly otherwise: string }): VNode {
  if (text === null) return <span class="none">{otherwise}</span>;
  return text.trim() === "" ? <span class="none">blank</span> : <Name>{text}</Name>;
}
