import type { ComponentChildren, VNode } from "preact";
import { counted } from "../../../../base/words.js";
import { SEGMENT_KINDS } from "../../../../voucher/segment-kinds.js";
import type { PriceGroup } from "../../../v1/campaign-schema.js";
import type { Given } from "../../campaign/given.js";
import { type Bar, Bars } from "../../charts/bars.js";
import { KIND_NAMES } from "../../kind-names.js";
import { Name } from "../../words.js";
import { gathered, type Gathered } from "./gathered.js";

const COUNTRIES_SHOWN = 20;

interface GroupBarsProps {
  readonly groups: readonly PriceGroup[];
  /** The names of the segments, in their order. */
  readonly segments: Given["segments"];
}

/** Where the amount goes: by country, and by segment. */
export function GroupBars({ groups, segments }: GroupBarsProps): VNode {
  const countries = gathered(groups, ({ country_code }) => country_code).sort(
    (one, other) => other.total_amount - one.total_amount,
  );
  const shown = countries.slice(0, COUNTRIES_SHOWN);
  const others = countries.slice(COUNTRIES_SHOWN);
  return (
    <div class="charts">
      <Bars
        caption="By country"
        headings={["Country", "Customers", "Amount"]}
        bars={[
          ...shown.map(({ key, ...sums }) => barOf(key === null ? "not known" : <Name>{key}</Name>, sums)),
          ...gathered(others, () => null).map((sums) => barOf(`${counted(others.length)} others`, sums)),
        ]}
      />
      {SEGMENT_KINDS.filter((kind) => groups.some(({ segment_name }) => segment_name === kind)).map(
        (kind) => {
          const ofKind = gathered(
            groups.filter(({ segment_name }) => segment_name === kind),
            ({ segment }) => segment,
          );
          const place = ({ key }: Gathered<string>) => segments[kind].indexOf(key);
          return (
            <Bars
              key={kind}
              caption={KIND_NAMES[kind]}
              headings={["Segment", "Customers", "Amount"]}
              bars={ofKind
                .sort((one, other) => place(one) - place(other))
                .map(({ key, ...sums }) => barOf(key, sums))}
            />
          );
        },
      )}
    </div>
  );
}

function barOf(
  label: ComponentChildren,
  { customers, total_amount }: Pick<Gathered<unknown>, "customers" | "total_amount">,
): Bar {
  return { label, value: total_amount, texts: [counted(customers), counted(total_amount)], isMarked: false };
}
