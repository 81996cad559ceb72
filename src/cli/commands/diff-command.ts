import type { Argv, CommandModule } from "yargs";
import type { AnswersDiff, ChangedAnswer } from "../../record/run-record.js";
import { print, printWarning } from "../output.js";

interface DiffArguments {
  before: string | undefined;
  after: string | undefined;
  json: boolean;
}

/** The command that compares the answers of two publications. */
export const diffCommand: CommandModule<object, DiffArguments> = {
  command: "diff [before] [after]",
  describe: "Compare two publications; default: the last two",
  builder: (yargs: Argv) =>
    yargs
      .positional("before", {
        type: "string",
        describe: "Execution date; default: the publication before the other",
      })
      .positional("after", { type: "string", describe: "Execution date; default: the newest publication" })
      .option("json", { type: "boolean", default: false, describe: "Print the comparison as JSON" })
      .example("$0 diff", "Show the changes of the newest publication")
      .example("$0 diff 2020-05-01 2020-05-29", "Show the changes of four weeks"),
  handler: async ({ before, after, json }) => {
    const [{ diffPublications }, { readSettings }, { parseExecutionDate }] = await Promise.all([
      import("../../introspect/diff.js"),
      import("../../settings/settings.js"),
      import("../../voucher/execution-date.js"),
    ]);
    const dateOf = (text: string | undefined) => (text === undefined ? undefined : parseExecutionDate(text));
    const request = { before: dateOf(before), after: dateOf(after) };
    const diff = await diffPublications(readSettings(), request, printWarning);
    print(json ? JSON.stringify(diff, null, 2) : await describe(diff));
  },
};

async function describe(diff: AnswersDiff): Promise<string> {
  const { before, after, changes } = diff;
  if (before === null) return `${after} is the first publication; there is no earlier one to compare`;
  const { comparedIn } = await import("../../record/answers.js");
  const heading = `${changes.length.toString()} of ${comparedIn(diff).toString()} answers differ between ${before} and ${after}`;
  if (changes.length === 0) return heading;
  const [{ titledTable }, { changeInWords }] = await Promise.all([
    import("../../record/terminal.js"),
    import("../../record/answers.js"),
  ]);
  return [
    [heading, ...changes.map((change) => `  ${changeInWords(change)}`)].join("\n"),
    titledTable("vouchers behind these answers", changes.map(rowOf)),
  ].join("\n\n");
}

function rowOf({ country_code, segment_kind, segment, before, after }: ChangedAnswer): object {
  return {
    country_code,
    segment_kind,
    segment,
    amount_before: before?.voucher_amount ?? null,
    used_before: before?.assignments ?? null,
    vouchers_before: before?.segment_assignments ?? null,
    amount_after: after?.voucher_amount ?? null,
    used_after: after?.assignments ?? null,
    vouchers_after: after?.segment_assignments ?? null,
  };
}
