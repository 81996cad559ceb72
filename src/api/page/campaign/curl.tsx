import type { VNode } from "preact";

interface CurlProps {
  readonly origin: string;
  readonly asksForKey: boolean;
  readonly executionDate: string;
}

/** How a program has a file priced. */
export function Curl({ origin, asksForKey, executionDate }: CurlProps): VNode {
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
