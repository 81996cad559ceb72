import type { VNode } from "preact";
import type { WithdrawalsTable } from "../../../consumption/tables.js";
import { executionDateOfKey } from "../../../voucher/execution-date.js";
import { ago, DateOf, Name } from "../words.js";

interface WithdrawnProps {
  readonly withdrawals: readonly WithdrawalsTable[];
  readonly now: Date;
}

/** The publications that a person has taken back, so that their answers are not given. */
export function Withdrawn({ withdrawals, now }: WithdrawnProps): VNode | null {
  if (withdrawals.length === 0) return null;
  return (
    <section>
      <h2>Withdrawn</h2>
      <ul>
        {withdrawals.map((withdrawal) => (
          <li key={withdrawal.execution_date}>
            <Withdrawal withdrawal={withdrawal} now={now} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Withdrawal({
  withdrawal: { execution_date, withdrawn_at, withdrawn_by, why },
  now,
}: {
  readonly withdrawal: WithdrawalsTable;
  readonly now: Date;
}): VNode {
  const date = executionDateOfKey(execution_date);
  return (
    <>
      The publication as of {date === undefined ? <Name>{execution_date}</Name> : <DateOf date={date} />} was
      taken back {ago(new Date(withdrawn_at), now)} by <Name>{withdrawn_by}</Name>: <Name>{why}</Name>
    </>
  );
}
