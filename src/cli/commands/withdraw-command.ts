import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../../base/errors.js";
import type { WithdrawalReport } from "../../run/withdraw.js";
import { print } from "../output.js";
import { executionDateOption, REQUIRED } from "../run-options.js";

interface RestoreArguments {
  "execution-date": string;
  json: boolean;
}

interface WithdrawArguments extends RestoreArguments {
  why: string;
}

const jsonOption = { type: "boolean", default: false, describe: "Print the result as JSON" } as const;

/** The command that withdraws a publication. */
export const withdrawCommand: CommandModule<object, WithdrawArguments> = {
  command: "withdraw",
  describe: "Withdraw a publication; readers fall back to the previous one",
  builder: (yargs: Argv) =>
    yargs
      .option("execution-date", executionDateOption)
      .option("why", {
        type: "string",
        demandOption: true,
        requiresArg: true,
        group: REQUIRED,
        describe: "Reason, for the run history",
      })
      .option("json", jsonOption)
      .example('$0 withdraw -e 2020-05-29 --why "the feed of Peru was cut short"', "Withdraw faulty answers"),
  handler: async ({ "execution-date": text, why, json }) => {
    if (why.trim() === "") throw new PipelineError("INVALID_USAGE", "--why must not be empty");
    const [{ withdrawPublication }, { readSettings }, { parseExecutionDate }] = await Promise.all([
      import("../../run/withdraw.js"),
      import("../../settings/settings.js"),
      import("../../voucher/execution-date.js"),
    ]);
    const report = await withdrawPublication(readSettings(), parseExecutionDate(text), why.trim());
    print(
      json ? JSON.stringify(report, null, 2) : `${report.execution_date} is withdrawn; ${seenNow(report)}`,
    );
  },
};

/** The command that restores a withdrawn publication. */
export const restoreCommand: CommandModule<object, RestoreArguments> = {
  command: "restore",
  describe: "Restore a withdrawn publication",
  builder: (yargs: Argv) =>
    yargs
      .option("execution-date", executionDateOption)
      .option("json", jsonOption)
      .example("$0 restore -e 2020-05-29", "Undo a withdrawal"),
  handler: async ({ "execution-date": text, json }) => {
    const [{ restorePublication }, { readSettings }, { parseExecutionDate }] = await Promise.all([
      import("../../run/withdraw.js"),
      import("../../settings/settings.js"),
      import("../../voucher/execution-date.js"),
    ]);
    const report = await restorePublication(readSettings(), parseExecutionDate(text));
    print(
      json ? JSON.stringify(report, null, 2) : `${report.execution_date} is restored; ${seenNow(report)}`,
    );
  },
};

function seenNow({ newest }: WithdrawalReport): string {
  return newest === null
    ? "no other publication exists, so readers have no answers"
    : `readers now see ${newest}`;
}
