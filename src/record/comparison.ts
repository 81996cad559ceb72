import { counted, counting, printable } from "../base/words.js";
import { differenceOf, type CampaignCost, type Cost, type CountryCost } from "../voucher/campaign-cost.js";
import { changeInWords } from "./answers.js";
import type { AnswersReport, RunReport, SqlChange } from "./run-record.js";
import { certaintyOfAnswers, changesInWords, dateOf, gateInWords, sqlSentence } from "./sentences.js";
import { list, number, paragraph, table, text, type Block, type Section, type Told } from "./story.js";

/** The answers that some SQL would give, compared with those that readers get. `compare --json` prints it. */
export interface Comparison {
  readonly execution_date: string;
  readonly sql_version: string;
  readonly sql_hash: string;
  readonly compared_with: ComparedPublication;
  /** The difference from the SQL of the publication; null if there is none, or no publication. */
  readonly sql_change: SqlChange | null;
  /** The differences from the raw files of the publication; null if no record has these. */
  readonly raw_changes: readonly RawChange[] | null;
  readonly answers: AnswersReport;
  /** The result of the limit; null if none was given. */
  readonly gate: Pick<
    NonNullable<RunReport["gate"]>,
    "count" | "counted" | "ignored_toss_ups" | "max_changed" | "outcome"
  > | null;
  readonly campaign: PricedCampaign | null;
  readonly seconds: number;
}

/** The publication that readers get for the date: that of the date itself, or else the newest one before. */
export interface ComparedPublication {
  /** Null if nothing is published up to the date. */
  readonly execution_date: string | null;
  readonly run_id: string | null;
  readonly sql_version: string | null;
  readonly sql_hash: string | null;
  /** The profile whose database was read; null for that of the settings. */
  readonly profile: string | null;
}

export interface RawChange {
  readonly path: string;
  readonly change: "changed" | "grown" | "gone" | "new";
}

/** The cost of a file of customers. */
export interface PricedCampaign extends CampaignCost {
  readonly file: string;
  /** The day that recency counts to. */
  readonly as_of: string;
}

/** The command that shows what a long list leaves out. */
const SHOWS_ALL = "npx pipeline compare --json";

/** A comparison for people, in the words of a run's report. */
export function comparisonStoryOf(comparison: Comparison): Told {
  const { answers, campaign, compared_with, execution_date, gate, seconds, sql_version } = comparison;
  const { before, after } = answers.changed;
  const since = before === after ? "the publication of this date" : undefined;
  return {
    title: `SQL ${sql_version} for ${dateOf(execution_date)}`,
    sentences: [
      `${changesInWords(answers.changed, { isSeen: false, since })}${gate === null ? "" : ` ${gateInWords(gate)}`}`,
      certaintyOfAnswers(answers.changed.answers, answers.certainty),
      ...sourceSentences(comparison),
      ...(campaign === null ? [] : [campaignSentence(campaign)]),
    ],
    facts: [
      { name: "execution date", value: execution_date },
      { name: "SQL", value: versionInWords(sql_version, comparison.sql_hash) },
      { name: "compared with", value: publicationInWords(compared_with) },
      { name: "took", value: `${seconds.toFixed(1)} s` },
    ],
    sections: [
      changesSection(comparison),
      filesSection(comparison),
      ...(campaign === null ? [] : [campaignSection(campaign)]),
    ].filter(({ blocks }) => blocks.length > 0),
  };
}

/** Other reasons for changed answers: the SQL, the raw files, the date. */
function sourceSentences({ compared_with, execution_date, sql_change, raw_changes }: Comparison): string[] {
  const { execution_date: published } = compared_with;
  if (published === null) return [];
  return [
    ...(published === execution_date
      ? []
      : [
          `${dateOf(execution_date)} is not published, so readers get the answers for ${dateOf(published)}. ` +
            "Vouchers of the time between can also change answers.",
        ]),
    sql_change === null ? "The SQL is the same." : sqlSentence(sql_change),
    rawSentence(raw_changes),
  ];
}

function rawSentence(changes: Comparison["raw_changes"]): string {
  if (changes === null) return "The raw files of the publication are not recorded.";
  const [first] = changes;
  if (first === undefined) return "The raw files are those of the publication.";
  const verb = first.change === "new" || first.change === "gone" ? "is" : "has";
  const more = changes.length > 1 ? ` and ${counted(changes.length - 1)} more` : "";
  return (
    `The raw files differ from those of the publication (${printable(first.path)} ${verb} ${first.change}${more}). ` +
    "This can also change answers."
  );
}

/** `v2 (3f0a6d19c2b4)`. */
function versionInWords(version: string, hash: string): string {
  return `${printable(version)} (${printable(hash.slice(0, 12))})`;
}

function publicationInWords({ execution_date, profile, run_id, sql_hash, sql_version }: ComparedPublication) {
  const where = profile === null ? "" : ` of the profile ${profile}`;
  if (execution_date === null) return `no publication${where}`;
  const sql = versionInWords(sql_version ?? "", sql_hash ?? "");
  return `the publication of ${execution_date}${where}, SQL ${sql}, run ${printable(run_id ?? "")}`;
}

function changesSection({ answers: { changed } }: Comparison): Section {
  return {
    heading: "Changed answers",
    blocks: list(changed.changes.map(changeInWords), changed.count, SHOWS_ALL),
  };
}

function filesSection({ sql_change, raw_changes }: Comparison): Section {
  const files = sql_change?.files ?? [];
  const rows = [
    ...files.map(({ file, change }) => [`${sql_change?.version ?? ""}/${file}`, "SQL", change]),
    ...(raw_changes ?? []).map(({ path, change }) => [path, "raw", change]),
  ];
  return {
    heading: "Files that differ",
    blocks: table(
      [text("file"), text("kind"), text("change")],
      rows.map((cells) => cells.map(printable)),
      SHOWS_ALL,
    ),
  };
}

function campaignSentence({ file, customers, before, after, changed, faulty }: PricedCampaign): string {
  const now = before === null ? "" : `; with the published answers ${costInWords(before)}`;
  const refused =
    faulty === 0 ? "" : ` ${counting(faulty, "line")} of the file ${faulty === 1 ? "is" : "are"} faulty.`;
  return (
    `The campaign ${printable(file)} has ${counting(customers, "customer")} and would cost ${costInWords(after)}${now}. ` +
    `The voucher of ${counting(changed, "customer")} would change.${refused}`
  );
}

/** `12,000 for 5 vouchers`. */
function costInWords({ total_amount, vouchers }: Cost): string {
  return `${counted(total_amount)} for ${counting(vouchers, "voucher")}`;
}

function campaignSection(campaign: PricedCampaign): Section {
  const { as_of, countries, first_fault } = campaign;
  const changed = countries.filter(hasOtherCost);
  const blocks: Block[] = [
    paragraph(`Recency counts to ${as_of}. Countries with other costs, the largest difference first:`),
    ...(changed.length === 0 ? [paragraph("None.")] : []),
    ...table(
      [
        text("country"),
        number("customers"),
        number("vouchers before"),
        number("vouchers"),
        number("cost before"),
        number("cost"),
        number("difference"),
      ],
      changed.map(rowOf),
      SHOWS_ALL,
    ),
    ...(first_fault === null ? [] : [paragraph(`The first faulty line: ${printable(first_fault)}`)]),
  ];
  return { heading: "Campaign", blocks };
}

function hasOtherCost({ before, after }: CountryCost): boolean {
  return before?.total_amount !== after.total_amount || before.vouchers !== after.vouchers;
}

function rowOf(country: CountryCost): string[] {
  const { before, after, country_code, customers } = country;
  const difference = differenceOf(country);
  return [
    printable(country_code),
    counted(customers),
    before === null ? "" : counted(before.vouchers),
    counted(after.vouchers),
    before === null ? "" : counted(before.total_amount),
    counted(after.total_amount),
    `${difference > 0 ? "+" : difference < 0 ? "-" : ""}${counted(Math.abs(difference))}`,
  ];
}
