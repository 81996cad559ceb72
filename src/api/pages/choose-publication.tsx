import type { VNode } from "preact";
import { readPublications } from "../../consumption/read-publications.js";
import { dateInWords, shortIso, type ExecutionDate } from "../../voucher/execution-date.js";
import type { Services } from "../http/services.js";
import { askUnlessAway } from "./service-state.js";

const PUBLICATIONS_OFFERED = 400;

/** The selectable execution dates, the latest first; none while the database is away. */
export async function publishedDates(services: Services): Promise<ExecutionDate[]> {
  const publications = await askUnlessAway(services, (database) =>
    readPublications(database, { limit: PUBLICATIONS_OFFERED }),
  );
  return (publications ?? []).map(({ executionDate }) => executionDate);
}

interface ChoosePublicationProps {
  /** The name of its parameter in the query. */
  readonly name: string;
  readonly label: string;
  readonly dates: readonly ExecutionDate[];
  readonly chosen: ExecutionDate | undefined;
  /** Whether the first date has no parameter, so that an address always shows the newest publication. */
  readonly followsNewest?: boolean;
}

/** A field to choose one of the publications. */
export function ChoosePublication({
  name,
  label,
  dates,
  chosen,
  followsNewest = false,
}: ChoosePublicationProps): VNode {
  const isOffered = dates.some(({ iso }) => iso === chosen?.iso);
  const offered = chosen === undefined || isOffered ? dates : [chosen, ...dates];
  return (
    <p class="field">
      <label for={name}>{label}</label>
      <select id={name} name={name}>
        {offered.map((date) => (
          <option
            key={date.iso}
            value={followsNewest && date === dates[0] ? "" : shortIso(date)}
            selected={date.iso === chosen?.iso}
          >
            {dateInWords(date)}
          </option>
        ))}
      </select>
    </p>
  );
}
