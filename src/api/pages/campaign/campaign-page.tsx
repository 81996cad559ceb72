import { setTimeout as wait } from "node:timers/promises";
import type { Request, RequestHandler } from "express";
import type { ComponentChildren, VNode } from "preact";
import * as z from "zod";
import { dayOf } from "../../../voucher/customer-schema.js";
import { shortIso } from "../../../voucher/execution-date.js";
import { CHARSETS } from "../../../voucher/file-lines.js";
import { SEGMENT_KINDS } from "../../../voucher/segment-rules.js";
import { expectOwnPage } from "../../http/guards.js";
import { checked } from "../../http/problems.js";
import { originOf } from "../../http/proxy.js";
import type { Services } from "../../http/services.js";
import { campaignOptions } from "../../v1/campaign-routes.js";
import { answersFor, decisionOptions } from "../../v1/most-used-routes.js";
import { PAGES } from "../addresses.js";
import type { PageRoute } from "../frame.js";
import { DateOf, KIND_NAMES } from "../parts.js";
import { MAX_UPLOAD_BYTES, storeUpload } from "./campaign-upload.js";
import type { StoredCampaigns } from "./stored-campaigns.js";

/** A page with a form for a file of customers. */
export function campaignPage(services: Services, campaigns: StoredCampaigns): PageRoute {
  return {
    path: PAGES.campaign,
    menu: "Price a campaign",
    open: async (request, { now }) => {
      const { executionDate } = (await services.store.newest()).publication;
      return {
        title: "Price a campaign",
        body: (
          <>
            <p class="lead">
              Send a file of customers. It comes back with a voucher for each customer, by the answers of{" "}
              <DateOf date={executionDate} />. The service keeps the file for an hour.
            </p>
            <UploadForm today={dayOf(now)} />
            <Columns />
            <details>
              <summary>How a program does it</summary>
              <Curl
                origin={originOf(request)}
                asksForKey={services.keys !== undefined}
                executionDate={shortIso(executionDate)}
              />
            </details>
          </>
        ),
      };
    },
    post: receiveCampaign(services, campaigns),
  };
}

const formFields = campaignOptions.omit({ escape: true }).extend({ charset: z.enum(CHARSETS).optional() });

/** A small file is priced before its page is opened. */
const PATIENCE_MILLISECONDS = 1_000;

function receiveCampaign(services: Services, campaigns: StoredCampaigns): RequestHandler {
  return async (request, response) => {
    expectOwnPage(request);
    const { id, priced } = await campaigns.add(request.key?.name, async (file) => {
      const upload = await storeUpload(request, file);
      const { charset = "utf-8", ...options } = checked(formFields, upload.fields, "");
      const answers = await answersFor(services, options);
      const order = {
        answers,
        charset,
        options: decisionOptions(options, services.now()),
        segmentName: options.segment_name,
      };
      return { upload, order };
    });
    await Promise.race([priced, wait(PATIENCE_MILLISECONDS, undefined, { ref: false })]);
    response.redirect(303, `${request.prefix}${PAGES.campaign}/${id}`);
  };
}

function UploadForm({ today }: { readonly today: string }): VNode {
  const kinds = SEGMENT_KINDS.map((kind) => (
    <option key={kind} value={kind}>
      {KIND_NAMES[kind].toLowerCase()}
    </option>
  ));
  return (
    <form method="post" action={PAGES.campaign} encType="multipart/form-data" class="asking">
      <Field
        id="file"
        isWide
        label="File of customers"
        note={`CSV, up to ${(MAX_UPLOAD_BYTES / 1_000_000).toString()} MB, or the same compressed by gzip`}
      >
        <input {...described("file")} type="file" accept=".csv,.tsv,.txt,.gz,text/csv" required />
      </Field>
      <Field id="segment_name" label="Lines without a segment" note="The segment of their customers">
        <select {...described("segment_name")}>
          <option value="">are faulty</option>
          {kinds}
        </select>
      </Field>
      <Field id="min_certainty" label="Least certainty" note="A less certain answer gives no amount">
        <select {...described("min_certainty")}>
          <option value="">any</option>
          <option value="likely">likely or sure</option>
          <option value="sure">sure</option>
        </select>
      </Field>
      <Field id="min_assignments" label="Fewest vouchers" note="A segment with fewer has no answer">
        <input {...described("min_assignments")} type="number" min="1" step="1" />
      </Field>
      <Field id="fallback" label="Fallback" note="For a segment without an answer">
        <select {...described("fallback")}>
          <option value="">no amount</option>
          <option value="country">the amount that the country uses most</option>
        </select>
      </Field>
      <Field id="as_of" label="As of" note="Days since the last order count up to this date">
        <input {...described("as_of")} type="date" value={today} />
      </Field>
      <Field
        id="charset"
        label="Characters"
        note="Excel’s “CSV” is in Windows-1252, its “CSV UTF-8” in UTF-8"
      >
        <select {...described("charset")}>
          {CHARSETS.map((charset) => (
            <option key={charset} value={charset}>
              {charset === "utf-8" ? "UTF-8" : "Windows-1252"}
            </option>
          ))}
        </select>
      </Field>
      <p class="wide">
        <button type="submit">Price the file</button>
      </p>
    </form>
  );
}

function described(id: string): { id: string; name: string; "aria-describedby": string } {
  return { id, name: id, "aria-describedby": `${id}-note` };
}

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly note: string;
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
}

function Field({ id, label, note, isWide = false, children }: FieldProps): VNode {
  return (
    <div class={isWide ? "field wide" : "field"}>
      <label for={id}>{label}</label>
      {children}
      <small id={`${id}-note`}>{note}</small>
    </div>
  );
}

const EXAMPLE = `customer_id,country_code,segment_name,total_orders,last_order_ts
7,Peru,frequent_segment,15,2020-04-20
8,Latvia,recency_segment,3,2020-02-01
`;

const COLUMNS: Readonly<Record<string, ComponentChildren>> = {
  country_code: "The country, spelt as in the vouchers",
  segment_name: (
    <>
      The kind of segment: <code>frequent_segment</code> or <code>recency_segment</code>. It may be missing if
      you choose one for all lines
    </>
  ),
  total_orders: "The number of orders; needed by number of orders",
  last_order_ts: "The last order, in UTC; needed by days since the last order",
};

/** The format of a file of customers. */
function Columns(): VNode {
  return (
    <details>
      <summary>The format of the file</summary>
      <p>
        A CSV with a header line, separated by commas, semicolons or tabs. The columns may have any order. All
        columns come back, with the result as further columns.
      </p>
      <dl class="columns">
        {Object.entries(COLUMNS).map(([name, meaning]) => (
          <>
            <dt>
              <code>{name}</code>
            </dt>
            <dd>{meaning}</dd>
          </>
        ))}
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

/** The campaign that an address names, if it is still here and came with the same key. */
export function campaignOf(
  campaigns: StoredCampaigns,
  { params, key }: Request,
): ReturnType<StoredCampaigns["find"]> {
  return campaigns.find(String(params["id"]), key?.name);
}
