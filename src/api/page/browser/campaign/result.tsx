import type { VNode } from "preact";
import { counted, counting, percent } from "../../../../base/words.js";
import type { Given } from "../../campaign/given.js";
import { DownloadLink } from "./download-link.js";
import { FaultyTable } from "./faulty-table.js";
import { GroupBars } from "./group-bars.js";
import type { Campaign } from "./price-file.js";
import { useFocus } from "./use-focus.js";

interface ResultProps {
  readonly campaign: Campaign;
  readonly file: File;
  readonly segments: Given["segments"];
}

/** What a file comes to. */
export function Result({ campaign: { summary, faulty, csv, seconds }, file, segments }: ResultProps): VNode {
  const heading = useFocus<HTMLHeadingElement>();
  const { lines, priced, without_amount, total_amount, groups = [] } = summary;
  return (
    <section class="stage" aria-labelledby="result-heading">
      <h2 id="result-heading" ref={heading} tabIndex={-1}>
        The campaign comes to {counted(total_amount)}
      </h2>
      <dl class="glance">
        <div>
          <dt>Customers</dt>
          <dd>
            {counted(lines)}, in {counting(Math.max(1, Math.round(seconds)), "second")}
          </dd>
        </div>
        <div>
          <dt>With an amount</dt>
          <dd>{ofAll(priced, lines)}</dd>
        </div>
        <div>
          <dt>Without an amount</dt>
          <dd>{ofAll(without_amount, lines)}</dd>
        </div>
        <div>
          <dt>Faulty</dt>
          <dd>{ofAll(summary.faulty, lines)}</dd>
        </div>
      </dl>
      <DownloadLink csv={csv} name={file.name} />
      {groups.length > 0 && <GroupBars groups={groups} segments={segments} />}
      {faulty.length > 0 && <FaultyTable lines={faulty} all={summary.faulty} />}
    </section>
  );
}

function ofAll(number: number, all: number): string {
  return number === 0 ? "None" : `${counted(number)}, ${percent(number / all)}`;
}
