import type { Request } from "express";
import type { VNode } from "preact";
import { originOf } from "../origin.js";
import type { Filled } from "./form.js";

/** How a program asks the same. */
export function Curl({
  request,
  filled,
  asksForKey,
}: {
  readonly request: Request;
  readonly filled: Filled;
  readonly asksForKey: boolean;
}): VNode {
  const key = asksForKey ? ` --header "Authorization: Bearer $VOUCHER_KEY"` : "";
  // The query has no quote and nothing else that a shell would read: all of it is escaped.
  const query = new URLSearchParams({ ...filled, explain: "true" }).toString();
  return (
    <section>
      <h2>The same for a program</h2>
      <pre>
        <code>{`curl '${originOf(request)}/v1/vouchers/most-used?${query}'${key}`}</code>
      </pre>
    </section>
  );
}
