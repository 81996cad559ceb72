import type { VNode } from "preact";
import { dayOf } from "../../voucher/customer-schema.js";
import { shortIso } from "../../voucher/execution-date.js";
import type { Answers } from "../../voucher/published-answers.js";
import type { SegmentKind } from "../../voucher/segment-rules.js";
import { originOf } from "../http/proxy.js";
import type { Services } from "../http/services.js";
import { PAGES } from "./addresses.js";
import { CAMPAIGN_ELEMENT, type CampaignScriptData } from "./campaign-script-data.js";
import type { PageRoute } from "./frame.js";
import { DateOf } from "./parts.js";

/** A page that has a file of customers priced. */
export function campaignPage(services: Services): PageRoute {
  return {
    path: PAGES.campaign,
    menu: "Price a campaign",
    open: async (request, { now }) => {
      const answers = await services.store.newest();
      const scriptData = scriptDataOf(answers, now);
      const curl = (
        <Curl
          origin={originOf(request)}
          asksForKey={services.keys !== undefined}
          executionDate={scriptData.executionDate}
        />
      );
      return {
        title: "Price a campaign",
        scripts: ["campaign.js"],
        body: (
          <>
            <p class="lead">
              Give a file of customers, and get it back with the voucher of each of them, by the answers of{" "}
              <DateOf date={answers.publication.executionDate} />. The file goes to this service alone, and
              nothing of it is kept.
            </p>
            <Columns />
            <div id={CAMPAIGN_ELEMENT} data-given={JSON.stringify(scriptData)}>
              <p>
                A browser prices the file here by JavaScript, which is not running. A program does it like
                this:
              </p>
              {curl}
            </div>
          </>
        ),
      };
    },
  };
}

function scriptDataOf({ publication, segments }: Answers, now: Date): CampaignScriptData {
  const names = (kind: SegmentKind) => segments[kind].segments.map(({ name }) => name);
  return {
    executionDate: shortIso(publication.executionDate),
    today: dayOf(now),
    segments: {
      frequent_segment: names("frequent_segment"),
      recency_segment: names("recency_segment"),
    },
  };
}

const EXAMPLE = `customer_id,country_code,segment_name,total_orders,last_order_ts
7,Peru,frequent_segment,15,2020-04-20
8,Latvia,recency_segment,3,2020-02-01
`;

/** What a file of customers has to look like. */
function Columns(): VNode {
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

interface CurlProps {
  readonly origin: string;
  readonly asksForKey: boolean;
  readonly executionDate: string;
}

/** How a program has a file priced. */
function Curl({ origin, asksForKey, executionDate }: CurlProps): VNode {
  const key = asksForKey ? ` \\\n  --header "Authorization: Bearer $VOUCHER_KEY"` : "";
  const query = new URLSearchParams({ execution_date: executionDate }).toString();
  return (
    <pre>
      <code>
        {"curl --upload-file customers.csv --request POST --header 'Content-Type: text/csv'" +
          key +
          ` \\\n  --output priced.csv '${origin}/v1/campaigns/price?${query}'`}
      </code>
    </pre>
  );
}
