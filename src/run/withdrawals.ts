import type { WithdrawalsTable } from "../consumption/tables.js";
import { isoOfKey } from "../voucher/execution-date.js";

/** That a publication was taken back from readers, as it is told. */
export interface ToldWithdrawal extends Pick<
  WithdrawalsTable,
  "run_id" | "published_at" | "withdrawn_at" | "withdrawn_by" | "why" | "outcome" | "ended_at" | "ended_by"
> {
  readonly execution_date: string;
}

/** Tells of a withdrawal which publication it is about, and who did what, when and why. */
export function toldWithdrawal(withdrawal: WithdrawalsTable): ToldWithdrawal {
  const { run_id, published_at, withdrawn_at, withdrawn_by, why } = withdrawal;
  const { outcome, ended_at, ended_by } = withdrawal;
  return {
    execution_date: isoOfKey(withdrawal.execution_date),
    run_id,
    published_at,
    withdrawn_at,
    withdrawn_by,
    why,
    outcome,
    ended_at,
    ended_by,
  };
}
