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
  describe: "Show which answers differ between two publications; between the last two unless they are named",
  builder: (yargs: Argv) =>
    yargs
      .positional("before", {
        type: "string",
        describe: "An execution date; the one before the other unless given",
      })
      .positional("after", { type: "string", describe: "An execution date; the newest one unless given" })
      .option("json", { type: "boolean", default: false, describe: "Print everything as JSON" })
      .example("$0 diff", "See what the newest publication has changed")
      .example("$0 diff 2020-05-01 2020-05-29", "See what has changed in four weeks"),
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

async function describe({ before, after, answers, changes }: AnswersDiff): Promise<string> {
  if (before === null) return `${after} is the first publication: there is nothing to compare it with`;
  const heading = `${changes.length.toString()} of ${answers.toString()} answers differ between ${before} and ${after}`;
  if (changes.length === 0) return heading;
  const [{ titledTable }, { changeInWords }] = await Promise.all([
    import("../../record/terminal.js"),
    import("../../record/answers.js"),
  ]);
  return [
    [heading, ...changes.map((change) => `  ${changeInWords(change)}`)].join("\n"),
    titledTable("what they rest on", changes.map(rowOf)),
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
