import type { VNode } from "preact";
import { counted } from "../../../../base/words.js";
import type { PricedLine } from "../../../v1/campaign-schema.js";
import { Scrolling } from "../../scrolling.js";
import { Name } from "../../words.js";

interface FaultyTableProps {
  /** The first of them. */
  readonly lines: readonly PricedLine[];
  readonly all: number;
}

/** The lines that are faulty, and what is wrong with them. */
export function FaultyTable({ lines, all }: FaultyTableProps): VNode {
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
