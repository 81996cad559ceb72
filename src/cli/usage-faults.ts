import { PipelineError } from "../base/errors.js";
import { npmScript, takenByNpm } from "../base/this-process.js";

/** A command line, and the names that it can use. */
export interface CommandLine {
  readonly words: readonly string[];
  /** Commands with their arguments, for example `render <model>`. */
  readonly commands: readonly string[];
  /** Options of the command and their aliases. */
  readonly options: readonly string[];
}

/** A name that differs in more letters is not suggested. */
const MOST_DIFFERENCES = 3;

/** npm has options with these names, which a user may have set for npm. */
const OF_NPM = new Set(["json", "only", "help", "version"]);

/** The scripts of package.json that start this program. */
const SCRIPTS = ["pipeline", "sample", "shell"];

/**
 * The fault of a command line that yargs refuses: what is wrong, the nearest name, and the help to read.
 * @param message the message of yargs.
 */
export function usageFault(message: string, line: CommandLine): PipelineError {
  const [word = "-"] = line.words;
  const command = line.commands.find((text) => firstWord(text) === word);
  const isUnknown = command === undefined && !word.startsWith("-");
  const wrong = isUnknown
    ? `unknown command ${word}${suggestion(word, line.commands.map(firstWord))}`
    : inPlainWords(message, command ?? "", line);
  const help = command === undefined ? "npx pipeline --help" : `npx pipeline ${word} --help`;
  return new PipelineError("INVALID_USAGE", wrong + (optionsBeforeDashes(line) || `; see ${help}`));
}

function firstWord(text: string): string {
  return text.split(" ", 1)[0] ?? text;
}

/**
 * Refuses to run without an option that npm took for itself because `--` was missing.
 * @throws PipelineError INVALID_USAGE.
 */
export function refuseTakenByNpm(line: CommandLine): void {
  const [taken] = optionsTakenByNpm(line);
  if (taken !== undefined)
    throw new PipelineError(
      "INVALID_USAGE",
      `the pipeline did not get --${taken}${optionsBeforeDashes(line)}`,
    );
}

function inPlainWords(message: string, command: string, { words, options }: CommandLine): string {
  const [, missing] = /^Missing required arguments?: (.*)$/.exec(message) ?? [];
  if (missing !== undefined) return missingOptions(missing.split(", "), words);
  if (message.startsWith("Not enough non-option arguments")) return `missing ${command.replace(/^\S+ /, "")}`;
  const [, optionWithout] = /^Not enough arguments following: (.*)$/.exec(message) ?? [];
  if (optionWithout !== undefined) return `${dashed(optionWithout)} needs a value`;
  const [, option = "", given, choices = ""] =
    /Argument: (.*), Given: (.*), Choices: (.*)/.exec(message) ?? [];
  if (given !== undefined) return `${dashed(option)} ${given} is not valid. Use one of ${choices}`;
  const [, unknown] = /^Unknown arguments?: (.*)$/.exec(message) ?? [];
  return unknown === undefined ? message : unknownWords(unknown.split(", "), words, options);
}

/** A required option with a typing error is missing to yargs. */
function missingOptions(missing: readonly string[], words: readonly string[]): string {
  const typed = words.filter((word) => word.startsWith("--")).map(optionName);
  const wrong = typed.find((name) => !missing.includes(name) && nearestName(name, missing) !== undefined);
  return wrong === undefined
    ? `missing ${missing.map(dashed).join(" and ")}`
    : `unknown option ${dashed(wrong)}${suggestion(wrong, missing, dashed)}`;
}

/** @param unknown has an option as it was typed, and again in camel case. */
function unknownWords(
  unknown: readonly string[],
  words: readonly string[],
  options: readonly string[],
): string {
  const option = unknown.find((name) => words.some((word) => word.startsWith("-") && isTyped(word, name)));
  if (option === undefined) return `unexpected argument ${JSON.stringify(unknown[0])}`;
  const known = options.filter((name) => !unknown.includes(name));
  return `unknown option ${dashed(option)}${suggestion(option, known, dashed)}`;
}

function isTyped(word: string, name: string): boolean {
  return word === name || optionName(word) === name || (/^-\w/.test(word) && word.includes(name));
}

/** `from` of `--from=2020-05-01`. */
function optionName(word: string): string {
  return word.replace(/^--?(no-)?/, "").split("=", 1)[0] ?? "";
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

function suggestion(
  word: string,
  names: readonly string[],
  shown: (name: string) => string = String,
): string {
  const nearest = nearestName(word, names);
  return nearest === undefined ? "" : `. Did you mean ${shown(nearest)}?`;
}

/** The name that differs in the fewest letters; undefined if all differ in more than three, or in half of the word. */
export function nearestName(word: string, names: readonly string[]): string | undefined {
  const most = Math.min(MOST_DIFFERENCES, Math.floor(word.length / 2));
  const ranked = names
    .filter((name) => name.length > 1)
    .map((name) => ({ name, differences: differencesOf(word, name) }))
    .sort((a, b) => a.differences - b.differences);
  const [nearest] = ranked;
  return nearest !== undefined && nearest.differences <= most ? nearest.name : undefined;
}

/** The Levenshtein distance, where two swapped neighbours count as one difference. */
function differencesOf(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const at = (i: number, j: number) => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const row = rows[i] ?? [];
      row[j] = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (isSame ? 0 : 1),
        isSwapped ? at(i - 2, j - 2) + 1 : Infinity,
      );
    }
  }
  return at(a.length, b.length);
}

/** npm 10 and 11 keep `-e` and `--from` that stand before `--`: the program gets nothing, or only the values. */
function optionsBeforeDashes(line: CommandLine): string {
  const isSuspect = !line.words.some((word) => word.startsWith("-")) || optionsTakenByNpm(line).length > 0;
  if (!isStartedByNpm() || !isSuspect) return "";
  return `. npm keeps options that come before --. Use npx pipeline … or npm run ${npmScript() ?? "pipeline"} -- …`;
}

function optionsTakenByNpm({ options, words }: CommandLine): string[] {
  if (!isStartedByNpm()) return [];
  return options.filter(
    (name) =>
      name.length > 1 && !OF_NPM.has(name) && takenByNpm(name) && !words.some((word) => isTyped(word, name)),
  );
}

function isStartedByNpm(): boolean {
  return SCRIPTS.includes(npmScript() ?? "");
}
