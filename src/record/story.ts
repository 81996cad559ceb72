import { counted, percent, printable } from "../base/words.js";
import type { Row } from "../engine/builder.js";
import { certaintyInWords, changeInWords, placeInWords } from "./answers.js";
import { describeBroken, describeThreshold, columnsInWords, rawNotices } from "./findings-in-words.js";
import type { ToldRun } from "./past-run.js";
import {
  BY_REASON,
  BY_REASON_AND_COUNTRY,
  rejectedGroupsOf,
  rejectReasonsOf,
  ROW_ACCOUNTING,
  rowCountsOf,
} from "./row-counts.js";
import type { AuditResult, RunReport } from "./run-record.js";
import { dateOf, gateInWords, sentencesOf, sqlSentence, toleratedInWords } from "./sentences.js";

/** More changed answers, files or warnings than this are counted, not told. */
const TOLD = 50;

/** A few of many rows must not show as 0%. */
const LEAST_SHARE = 0.001;

/** The measures with the results of rows. */
const TOLD_AS_ROWS: ReadonlySet<string> = new Set([ROW_ACCOUNTING, BY_REASON, BY_REASON_AND_COUNTRY]);

/** A report, without a format: the texts are plain, and contain no markup. */
export interface Told {
  readonly title: string;
  readonly sentences: readonly string[];
  readonly facts: readonly Fact[];
  readonly sections: readonly Section[];
}

/** The report of a run. */
export interface Story extends Told {
  readonly outcome: ToldRun["outcome"];
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

export interface Section {
  readonly heading: string;
  readonly blocks: readonly Block[];
}

export type Block =
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | {
      readonly kind: "table";
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly string[])[];
    }
  /** Lines that keep their blanks: output of a machine, or input for one. */
  | { readonly kind: "lines"; readonly lines: readonly string[] };

export interface Column {
  readonly name: string;
  readonly kind: "text" | "number" | "code";
}

/** The full story of a run, from its record. */
export function storyOf(run: ToldRun): Story {
  const { outcome, report } = run;
  return {
    title: `Run for ${dateOf(report.execution_date)}`,
    outcome,
    sentences: sentencesOf(run),
    facts: factsOf(run),
    sections: [
      faultSection(run),
      withdrawnSection(run),
      changesSection(report),
      leastCertainSection(report),
      rowsSection(report),
      ...measureSections(report),
      auditsSection(report),
      warningsSection(report),
      filesSection(report),
      stepsSection(report),
      sqlSection(report),
    ].flatMap((section) => (section === undefined || section.blocks.length === 0 ? [] : [section])),
  };
}

function factsOf({ outcome, fault, startedAt, endedAt, startedBy, report }: ToldRun): Fact[] {
  return [
    { name: "run", value: report.run_id },
    { name: "execution date", value: report.execution_date },
    { name: "stages", value: report.stages.join(", ") },
    { name: "outcome", value: fault === undefined ? outcome : `${outcome}: ${fault.code}` },
    ...maybeFact("started", startedAt),
    ...maybeFact("ended", endedAt),
    ...maybeFact("started by", startedBy),
    ...maybeFact("trace", report.trace_id),
    { name: "took", value: `${report.seconds.toFixed(1)} s` },
  ];
}

function maybeFact(name: string, value: string | null | undefined): Fact[] {
  return value === undefined || value === null ? [] : [{ name, value: printable(value) }];
}

function faultSection({ fault }: ToldRun): Section | undefined {
  if (fault === undefined) return undefined;
  return { heading: "Failure", blocks: [linesOf(`${fault.code}: ${fault.message}`)] };
}

function withdrawnSection({ withdrawals = [] }: ToldRun): Section {
  return {
    heading: "Withdrawals",
    blocks: table(
      [text("at"), text("by"), text("why"), text("outcome"), text("then"), text("ended by")],
      withdrawals.map(({ withdrawn_at, withdrawn_by, why, outcome, ended_at, ended_by }) =>
        [withdrawn_at, withdrawn_by, why, outcome, ended_at ?? "", ended_by ?? ""].map(printable),
      ),
    ),
  };
}

function changesSection({ answers, gate }: RunReport): Section | undefined {
  if (answers === null) return undefined;
  const { before, count, changes } = answers.changed;
  const none = before === null ? "There is no earlier publication." : "None.";
  const held = gate === null ? [] : [paragraph(gateInWords(gate))];
  return {
    heading: "Changed answers",
    blocks: [...held, ...(count === 0 ? [paragraph(none)] : list(changes.map(changeInWords), count))],
  };
}

function leastCertainSection({ answers }: RunReport): Section | undefined {
  if (answers?.certainty == null || answers.least_certain.length === 0) return undefined;
  const { certainty, least_certain } = answers;
  return {
    heading: "Least certain answers",
    blocks: [
      paragraph("Certainty is the chance that the same amount wins again with as many similar customers."),
      {
        kind: "table",
        columns: [
          text("country and segment"),
          number("voucher"),
          text("certainty"),
          number("assigned"),
          number("of vouchers"),
        ],
        rows: least_certain.map((answer) => [
          placeInWords(answer),
          counted(answer.voucher_amount),
          certaintyInWords(answer),
          counted(answer.assignments),
          counted(answer.segment_assignments),
        ]),
      },
      ...more(certainty.likely + certainty["toss-up"] - least_certain.length),
    ],
  };
}

function rowsSection(report: RunReport): Section | undefined {
  const counts = rowCountsOf(report);
  if (counts === undefined) return undefined;
  const { read, curated, outOfScope, rejected } = counts;
  const row = (name: string, rows: number) => [name, counted(rows), read > 0 ? shareOf(rows / read) : ""];
  const reasons = rejectReasonsOf(report);
  const groups = rejectedGroupsOf(report);
  return {
    heading: "Row counts",
    blocks: [
      {
        kind: "table",
        columns: [text("rows"), number("number"), number("share")],
        rows: [
          row("read", read),
          row("curated: used for the answers", curated),
          row("out of scope: not known yet at the execution date", outOfScope),
          row("rejected: a value is missing or invalid", rejected),
        ],
      },
      ...(reasons.length === 0
        ? []
        : [
            paragraph("Rejected rows by reason. A row with two reasons counts twice:"),
            {
              kind: "table" as const,
              columns: [
                code("reason"),
                number("rejected"),
                number("share"),
                text("for example"),
                text("in file"),
              ],
              rows: reasons.map(({ reason, rejected: ofReason, example, source_file }) => [
                ...row(printable(reason), ofReason),
                example === null ? "" : printable(JSON.stringify(example)),
                printable(source_file ?? ""),
              ]),
            },
          ]),
      ...(groups.length === 0
        ? []
        : [
            paragraph(
              "Largest groups by reason and country, each with one invalid value from the raw files:",
            ),
          ]),
      ...table(
        [code("reason"), text("country"), number("rejected"), text("for example"), text("in file")],
        groups.map(({ reason, country, rejected: ofGroup, example, source_file }) => [
          printable(reason),
          country === null ? "unreadable" : printable(country),
          counted(ofGroup),
          exampleInWords(example),
          printable(source_file ?? ""),
        ]),
      ),
    ],
  };
}

function shareOf(share: number): string {
  return share > 0 && share < LEAST_SHARE ? `under ${percent(LEAST_SHARE)}` : percent(share);
}

/** Quotes show the spaces around a value. */
function exampleInWords(example: string | null): string {
  return example === null ? "missing" : printable(JSON.stringify(example));
}

/** The measures that no other section shows, as tables. */
function measureSections(report: RunReport): Section[] {
  const { measures } = report;
  const areRowsTold = rowCountsOf(report) !== undefined;
  return Object.entries(measures).flatMap(([name, rows]) => {
    const [first] = rows;
    if (first === undefined || (areRowsTold && TOLD_AS_ROWS.has(name))) return [];
    const columns = Object.keys(first).map((column) =>
      isNumber(rows, column) ? number(column) : text(column),
    );
    const cells = rows.map((row) => columns.map((column) => shown(row[column.name], column)));
    return [{ heading: headingOf(name), blocks: table(columns, cells) }];
  });
}

function headingOf(measure: string): string {
  const words = measure.replace(/^measures\./, "").replaceAll("_", " ");
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

/** The engine gives large whole numbers as text. */
function isNumber(rows: readonly Row[], column: string): boolean {
  return rows.every((row) => /^(-?[0-9]+([.][0-9]+)?)?$/.test(cellText(row[column])));
}

function shown(value: Row[string] | undefined, { kind }: Column): string {
  const cell = cellText(value);
  return kind === "number" && /^[0-9]{1,15}$/.test(cell) ? counted(Number(cell)) : printable(cell);
}

function cellText(value: Row[string] | undefined): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function auditsSection(report: RunReport): Section | undefined {
  const { audits } = report;
  if (audits.length === 0) return undefined;
  const broken = audits.filter(({ outcome }) => outcome !== "passed");
  return {
    heading: "Checks",
    blocks: [
      ...broken.map((audit) => linesOf(`${audit.outcome}: ${describeBroken(audit)}`)),
      ...list(toleratedInWords(report).map((tolerated) => `tolerated: ${tolerated}`)),
      {
        kind: "table",
        columns: [
          code("table"),
          code("audit"),
          text("outcome"),
          number("failing rows"),
          text("allowed"),
          text("rule"),
        ],
        rows: [...broken, ...audits.filter(({ outcome }) => outcome === "passed")].map(auditRow),
      },
    ],
  };
}

function auditRow({ model, audit, promise, outcome, broken, threshold }: AuditResult): string[] {
  return [model, audit, outcome, counted(broken), describeThreshold(threshold) || "none", printable(promise)];
}

function warningsSection({ warnings }: RunReport): Section {
  return { heading: "Warnings", blocks: warnings.map(linesOf) };
}

function filesSection(report: RunReport): Section {
  const { inputs, at_rest: atRest, tables, published } = report;
  const files = inputs.map(({ path, bytes, version, sha256 = "" }) => [
    printable(path),
    counted(bytes),
    printable(version),
    sha256,
  ]);
  const written = tables.map(({ model, rows, bytes, sha256, uri }) => [
    model,
    counted(rows),
    counted(bytes),
    sha256,
    printable(uri),
  ]);
  return {
    heading: "Inputs and outputs",
    blocks: [
      ...table([text("raw file"), number("bytes"), code("version"), code("sha256")], files),
      ...table(
        [code("raw model"), text("format"), number("files"), text("first"), text("columns")],
        report.raw_columns.map(({ model, format, files, first, columns }) => [
          model,
          format,
          counted(files),
          printable(first),
          printable(columnsInWords(columns)),
        ]),
      ),
      ...driftBlocks(report),
      ...rawNotices(report).flatMap(({ heading, lines }) => [
        paragraph(`${heading.replace(/^./, (letter) => letter.toUpperCase())}:`),
        ...list(lines),
      ]),
      ...table(
        [code("partition unchanged"), code("sha256"), text("file")],
        atRest.map(({ model, sha256, uri }) => [model, sha256, printable(uri)]),
      ),
      ...table(
        [code("partition written"), number("rows"), number("bytes"), code("sha256"), text("file")],
        written,
      ),
      ...table(
        [code("published table"), number("rows"), number("written"), number("removed")],
        (published?.tables ?? []).map((change) => [
          change.table,
          counted(change.rows),
          counted(change.upserted),
          counted(change.removed),
        ]),
      ),
    ],
  };
}

function driftBlocks({ drift }: RunReport): Block[] {
  if (drift.length === 0) return [];
  const columns = ["raw model", "column", "change", "before", "now", "files", "first"];
  return [
    paragraph("Changed columns of the raw files:"),
    ...table(
      columns.map((name) => (name === "files" ? number(name) : text(name))),
      drift.map(({ model, column, change, types_before, types, files, first }) =>
        [model, column, change, types_before.join(", "), types.join(", "), counted(files), first ?? ""].map(
          printable,
        ),
      ),
    ),
  ];
}

function stepsSection({ steps }: RunReport): Section | undefined {
  if (steps.length === 0) return undefined;
  return {
    heading: "Duration",
    blocks: [
      paragraph("Steps can run in parallel. The seconds of a step include its waiting time."),
      {
        kind: "table",
        columns: [text("step"), number("seconds")],
        rows: steps.map(({ step, seconds }) => [step, seconds.toFixed(3)]),
      },
    ],
  };
}

function sqlSection(report: RunReport): Section {
  const { run_id, execution_date, sql_version, sql_hash, rendered_sql_hash, sql_change, engine } = report;
  const models = [...report.tables.map(({ model }) => model), ...Object.keys(report.measures)];
  const files = models.map((model) => `sql/${sql_version}/${model.replace(".", "/")}.sql`);
  return {
    heading: "SQL version and follow-up commands",
    blocks: [
      ...(sql_change === null ? [] : [paragraph(sqlSentence(sql_change))]),
      {
        kind: "table",
        columns: [text("name"), code("value")],
        rows: [
          ["SQL version", sql_version],
          ["hash of the SQL files", sql_hash],
          ...(rendered_sql_hash === null ? [] : [["hash of the rendered SQL", rendered_sql_hash]]),
          ...(engine === null ? [] : [["engine", engine]]),
        ],
      },
      ...list(files),
      {
        kind: "lines",
        lines: [
          `npx pipeline replay ${run_id}`,
          `npx pipeline runs ${run_id}`,
          `npx pipeline rejected -e ${execution_date}`,
          `npx pipeline diff`,
        ],
      },
    ],
  };
}

/** A block of one text. */
export function paragraph(said: string): Block {
  return { kind: "paragraph", text: said };
}

/** A text of several lines. Control characters are shown as escapes. */
function linesOf(said: string): Block {
  return { kind: "lines", lines: said.split("\n").map(printable) };
}

const SHOWS_ALL = "npx pipeline runs --json";

/**
 * Blocks of a list; none if it is empty.
 * @param count the number of all items; `items` can be only the first ones.
 * @param showsAll the command that shows all items.
 */
export function list(items: readonly string[], count = items.length, showsAll = SHOWS_ALL): Block[] {
  if (items.length === 0) return [];
  return [{ kind: "list", items: items.slice(0, TOLD) }, ...more(count - TOLD, showsAll)];
}

/** Blocks of a table; none if it has no rows. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  showsAll = SHOWS_ALL,
): Block[] {
  if (rows.length === 0) return [];
  return [{ kind: "table", columns, rows: rows.slice(0, TOLD) }, ...more(rows.length - TOLD, showsAll)];
}

function more(count: number, showsAll = SHOWS_ALL): Block[] {
  return count > 0 ? [paragraph(`And ${counted(count)} more. ${showsAll} shows all.`)] : [];
}

/** A column of texts. */
export function text(name: string): Column {
  return { name, kind: "text" };
}

/** A column of numbers. */
export function number(name: string): Column {
  return { name, kind: "number" };
}

function code(name: string): Column {
  return { name, kind: "code" };
}
