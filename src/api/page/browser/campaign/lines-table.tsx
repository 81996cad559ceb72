import type { VNode } from "preact";
import { counted } from "../../../../base/words.js";
import type { PricedLine } from "../../../v1/campaign-schema.js";
import { KIND_NAMES } from "../../kind-names.js";
import { Scrolling } from "../../scrolling.js";
import { Name } from "../../words.js";

interface LinesTableProps {
  readonly caption: string;
  readonly lines: readonly PricedLine[];
}

/** Lines as the service has answered them. */
export function LinesTable({ caption, lines }: LinesTableProps): VNode {
  return (
    <Scrolling name={{ label: caption }}>
      <table class="lines">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Line</th>
            <th scope="col">Customer</th>
            <th scope="col">Country</th>
            <th scope="col">Judged</th>
            <th scope="col">Segment</th>
            <th scope="col" class="number">
              Amount
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.line} class={line.error === null ? undefined : "faulty"}>
              <th scope="row">{counted(line.line)}</th>
              <td>
                <Name>{line.customer_id}</Name>
              </td>
              <td>
                <Name>{line.country_code}</Name>
              </td>
              {line.error === null ? <Answered line={line} /> : <td colSpan={3}>{line.error}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolling>
  );
}

function Answered({ line }: { readonly line: PricedLine }): VNode {
  const { segment_name, segment, voucher_amount, basis } = line;
  return (
    <>
      <td>
        {Object.entries(KIND_NAMES)
          .find(([kind]) => kind === segment_name)?.[1]
          .toLowerCase()}
      </td>
      <td>{segment}</td>
      <td class="number">
        {voucher_amount === null ? "none" : counted(voucher_amount)}
        {basis === "country" && " of the country"}
      </td>
    </>
  );
}
