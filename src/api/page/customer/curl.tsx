import type { Request } from "express";
import type { VNode } from "preact";
import type { Filled } from "./form.js";

/** A host as an address has it. A browser sends nothing else; who makes one up gets the usual one. */
const HOST = /^[a-z0-9.-]+(:\d+)?$|^\[[0-9a-f:.]+\](:\d+)?$/i;

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
  const host = request.get("host") ?? "";
  const origin = `${request.protocol}://${HOST.test(host) ? host : "127.0.0.1:8000"}`;
  const key = asksForKey ? ` --header "Authorization: Bearer $VOUCHER_KEY"` : "";
  // The query has no quote and nothing else that a shell would read: all of it is escaped.
  const query = new URLSearchParams({ ...filled, explain: "true" }).toString();
  return (
    <section>
      <h2>The same for a program</h2>
      <pre>
        <code>{`curl '${origin}/v1/vouchers/most-used?${query}'${key}`}</code>
      </pre>
    </section>
  );
}
