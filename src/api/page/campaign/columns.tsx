import type { VNode } from "preact";

const EXAMPLE = `customer_id,country_code,segment_name,total_orders,last_order_ts
7,Peru,frequent_segment,15,2020-04-20
8,Latvia,recency_segment,3,2020-02-01
`;

/** What a file of customers has to look like. */
export function Columns(): VNode {
  return (
    <details>
      <summary>What the file has to look like</summary>
      <p>
        CSV in UTF-8, with commas and a header line, as it is or compressed by gzip. The columns may stand in
        any order; further ones do not count.
      </p>
      <dl class="columns">
        <dt>
          <code>country_code</code>
        </dt>
        <dd>The country, as the vouchers name it</dd>
        <dt>
          <code>segment_name</code>
        </dt>
        <dd>
          What the customer is judged by: <code>frequent_segment</code> or <code>recency_segment</code>. It
          may be missing where you choose one for all lines
        </dd>
        <dt>
          <code>total_orders</code>
        </dt>
        <dd>How many orders there were; needed by number of orders</dd>
        <dt>
          <code>last_order_ts</code>
        </dt>
        <dd>The last order, in UTC; needed by days since the last order</dd>
        <dt>
          <code>customer_id</code>
        </dt>
        <dd>Whatever tells you whom a line is about; it comes back. It may be missing</dd>
      </dl>
      <p>
        An example, to copy or to{" "}
        <a href={`data:text/csv;charset=utf-8,${encodeURIComponent(EXAMPLE)}`} download="customers.csv">
          download
        </a>
        :
      </p>
      <pre>
        <code>{EXAMPLE}</code>
      </pre>
    </details>
  );
}
