import type { Answers } from "../../../voucher/answers.js";
import { shortIso } from "../../../voucher/execution-date.js";
import type { SegmentKind } from "../../../voucher/segments.js";
import type { Services } from "../../http/services.js";
import { dayOf } from "../../v1/customer-schema.js";
import { PAGES } from "../addresses.js";
import { originOf } from "../origin.js";
import type { PageRoute } from "../page.js";
import { DateOf } from "../words.js";
import { Columns } from "./columns.js";
import { Curl } from "./curl.js";
import { CAMPAIGN_ELEMENT, type Given } from "./given.js";

/** A page that has a file of customers priced. */
export function campaignPage(services: Services): PageRoute {
  return {
    path: PAGES.campaign,
    menu: "Price a campaign",
    open: async (request, { now }) => {
      const answers = await services.store.newest();
      const given = givenOf(answers, now);
      const curl = (
        <Curl
          origin={originOf(request)}
          asksForKey={services.keys !== undefined}
          executionDate={given.executionDate}
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
            <div id={CAMPAIGN_ELEMENT} data-given={JSON.stringify(given)}>
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

function givenOf({ publication, segments }: Answers, now: Date): Given {
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
