// Counts constructions that make our English hard to read. Prints each one it finds: `node test/odd-constructions.mjs [GROUP|FILE…]`.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";

const PROJECT = path.dirname(import.meta.dirname);
const LONGEST_SENTENCE = 30;

/** Each rule with the words that break it, and what to write instead. */
const RULES = [
  ["begin with the subject", /^(Where|Of|What|Who|Whose|Whom|Which)\b(?!.*\?$)/],
  ["a sentence needs a subject", /^(Is|Are|Was|Were|Has|Had)\b(?!.*\?$)/],
  [
    "if, not where",
    /\b(where (there|none|no|any|nothing|neither|both)|where (it|they|that|this) \w+ not|also where|except where|unless where|even where)\b/i,
  ],
  ["fix", /\bmend(s|ed|ing)?\b/i],
  ["again", /\b(anew|once more)\b/i],
  [
    "own",
    /\bof (its|their|his|her|one's|our|your) own(?=[.,;:)]|$| (in|with|and|below|above|that|which|for|by|from|to|on|as|is|are)\b)/i,
  ],
  ["instead of", /\bin (the |its |their )?place of\b/i],
  ["only, except", /\b(but for|none but|nothing but|anything but|no \w+ but|save for|all but)\b/i],
  ["no limit", /\bas (it|they|you|he|one) likes?\b/i],
  [
    "not a",
    /(?<!\bthere (?:(?:can|may|must|should|will) )?)\b(is|are|was|were|be) no (?!longer\b|more\b|less\b|fewer\b|later\b|older\b|newer\b|larger\b|smaller\b)\w+/i,
  ],
  ["because there is no", /\bfor want of\b/i],
  ["such as", /\bas (v\d\w*|in CODE)(?=[.,;)]|$)|, as CODE(?=[.,;)]|$)/],
  [
    "name the thing",
    /\b(for|by|to|of|from|if|with|than|except|besides?|and|or|all|is|are) (what|who|whoever|whatever)\b/i,
  ],
  ["compared with, next to", /\bbeside\b/i],
  ["by default", /\bunless (given|said|told|named)\b/i],
  ["active voice", /\b(is|are|was|were|be|been) (told|said|asked|looked at|looked into)\b/i],
  ["must, will", /\b(is|are) to be \w+(ed|en|t)\b/i],
  ["that exist", /\bth(at|ose)( there)? (is|are|was|were) there\b|\bthere (is|are|was|were)(?=[.,;:)]|$)/i],
  ["continue", /\b(goes|go|going|went) on\b/i],
  ["check", /\blook(s|ed|ing)? (whether|if)\b/i],
  ["show, report", /\bsay(s|ing)? (whether|what|how|which|who|where|why)\b/i],
  [
    "a plain word",
    /\b(thereof|therein|thereby|wherein|whereof|whereby|whence|whither|lest|hitherto|henceforth|heretofore|worth to|of just now)\b/i,
  ],
  ["one idea a sentence", /;.*;/],
];

/** A name of a test need not have a subject: its group has it. */
const SUBJECT_RULES = ["begin with the subject", "a sentence needs a subject"];

const HEADING_RULES = [
  ["a noun or a task", /\?$|^(What|Where|Who|Whom|Whose|Which|Why|Is|Are|All that|From nothing|When)\b/],
];

/** The texts that are counted together. Each has its limit in the test. */
export const GROUPS = {
  README: () => ["README.md"],
  docs: () => filesIn("docs", /^[^/]*\.md$/).filter((file) => !/(cli|data-dictionary)\.md$/.test(file)),
  decisions: () => filesIn("docs/decisions", /\.md$/),
  help: () => filesIn("src/cli/commands", /\.ts$/).concat("src/cli/main.ts", "src/cli/run-options.ts"),
  messages: () => filesIn("src", /\.ts$/).filter((file) => !file.startsWith("src/api/")),
  pages: () => filesIn("src", /\.tsx?$/).filter((file) => file.endsWith("x") || file.startsWith("src/api/")),
  sql: () => filesIn("sql", /\.sql$/),
  comments: () => filesIn("src", /\.tsx?$/),
  "test names": () => filesIn("test", /\.ts$/),
};

const READERS = {
  README: markdownTexts,
  docs: markdownTexts,
  decisions: markdownTexts,
  help: literalTexts,
  messages: literalTexts,
  pages: literalTexts,
  sql: sqlTexts,
  comments: commentTexts,
  "test names": testNames,
};

/**
 * The odd constructions of a group of texts.
 * @returns {{ words: number, found: { file: string, line: number, rule: string, text: string }[], perThousand: number }}
 */
export function oddConstructions(group, only = () => true) {
  const texts = GROUPS[group]()
    .filter(only)
    .flatMap((file) => READERS[group](readFileSync(path.join(PROJECT, file), "utf8"), file));
  const words = texts.reduce((sum, { text }) => sum + wordsIn(text), 0);
  const found = texts.flatMap(oddIn);
  return { words, found, perThousand: words === 0 ? 0 : (1_000 * found.length) / words };
}

function oddIn({ file, line, text, isHeading = false, outer }) {
  if (outer !== undefined) return oddInName({ file, line, text, outer });
  if (isHeading) return matching(HEADING_RULES, text).map((rule) => ({ file, line, rule, text }));
  return sentencesOf(text).flatMap(({ sentence, linesBefore }) =>
    [
      ...matching(RULES, sentence),
      ...(wordsIn(sentence) > LONGEST_SENTENCE ? [`at most ${LONGEST_SENTENCE} words`] : []),
    ].map((rule) => ({ file, line: line + linesBefore, rule, text: sentence })),
  );
}

/** The name of a test continues that of its group, which has its own faults: "a run" is the subject of "is recorded". */
function oddInName({ file, line, text, outer }) {
  const oddOf = (name) => oddIn({ file, line, text: name });
  const ofOuter = new Set(oddOf(outer).map(({ rule }) => rule));
  const alone = oddOf(text).filter(({ rule }) => !SUBJECT_RULES.includes(rule));
  const ofAlone = new Set(alone.map(({ rule }) => rule));
  const joined = oddOf(`${outer} ${text}`).filter(({ rule }) => !ofOuter.has(rule) && !ofAlone.has(rule));
  return [...alone, ...joined].map((found) => ({ ...found, text: `${outer} › ${text}` }));
}

function matching(rules, text) {
  return rules.filter(([, pattern]) => pattern.test(text)).map(([name]) => name);
}

function wordsIn(text) {
  return text.match(/[\p{L}\p{N}][\p{L}\p{N}'’_-]*/gu)?.length ?? 0;
}

/** A full stop, a question mark or a colon before a capital letter ends a sentence. */
function sentencesOf(text) {
  let offset = 0;
  return text.split(/(?<=[.!?:][)"”]?\s)(?=[\p{Lu}"“(`])/u).map((part) => {
    const linesBefore = text.slice(0, offset).split("\n").length - 1;
    offset += part.length;
    return { sentence: part.replace(/\s+/g, " ").trim(), linesBefore };
  });
}

/** Paragraphs, list items, table cells and headings, without code. */
function markdownTexts(markdown, file) {
  const texts = [];
  const plain = markdown
    .replace(/<!--[\s\S]*?-->|^( *)(```|~~~)[\s\S]*?^\1\2/gm, (hidden) => hidden.replace(/[^\n]/g, ""))
    .replace(/`[^`\n]+`/g, "CODE")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/ ?<br ?\/?> ?/g, ". ")
    .replace(/<[^>]+>|\*\*|(?<!\w)_|_(?!\w)|\*/g, "");
  let open;
  plain.split("\n").forEach((written, index) => {
    const line = index + 1;
    const heading = /^#{1,6} +(.*)/.exec(written);
    const isNew = /^\s*([-*+]|\d+\.) |^\s*$|^\s*\||^\s*>\s*$/.test(written) || heading !== null;
    if (isNew) open = undefined;
    if (/^\s*$|^\s*\|[\s:|-]+$/.test(written)) return;
    if (heading !== null) texts.push({ file, line, text: heading[1], isHeading: true });
    else if (/^\s*\|/.test(written))
      for (const cell of written.split("|"))
        if (wordsIn(cell) > 2) texts.push({ file, line, text: cell.trim() });
    if (heading !== null || /^\s*\|/.test(written)) return;
    const text = written.replace(/^\s*([-*+]|\d+\.|>)? */, "");
    if (open === undefined) texts.push((open = { file, line, text }));
    else open.text += `\n${text}`;
  });
  return texts;
}

/** What TypeScript's literals say to people: those of three words and more that are no SQL. */
function literalTexts(source, file) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const texts = [];
  const textOf = (node) => {
    if (ts.isStringLiteralLike(node)) return node.text;
    if (ts.isTemplateExpression(node))
      return node.head.text + node.templateSpans.map(({ literal }) => `X${literal.text}`).join("");
    if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return undefined;
    const [left, right] = [textOf(node.left), textOf(node.right)];
    return left === undefined && right === undefined ? undefined : `${left ?? "X"}${right ?? "X"}`;
  };
  const visit = (node) => {
    const text = ts.isJsxText(node) ? node.text.trim() : textOf(node);
    if (text !== undefined && isProse(text))
      texts.push({ file, line: tree.getLineAndCharacterOfPosition(node.getStart()).line + 1, text });
    if (text === undefined || ts.isTemplateExpression(node)) ts.forEachChild(node, visit);
  };
  visit(tree);
  return texts;
}

/** Statements of SQL, style sheets, policies of pages, and paths of files are for programs. */
function isProse(text) {
  return (
    wordsIn(text) > 2 &&
    /\s/.test(text) &&
    !/\{[^{}]*:[^{}]*;[^{}]*\}|^default-src |^<\S+>; rel=/.test(text) &&
    !/\b(SELECT|FROM|INSERT|UPDATE|DELETE|CREATE|ALTER|WHERE|COPY|SET|JOIN|AS|WITH)\b/.test(text)
  );
}

/** The comments of a file. Comments on lines that follow each other are one text; each tag of a docstring is a text. */
function commentTexts(source, file) {
  return commentRanges(source, file).flatMap(({ pos, end }) => {
    let line = source.slice(0, pos).split("\n").length;
    const parts = source.slice(pos, end).split(/(?=@(?:returns|throws|param)\b)/);
    return parts.map((part) => {
      const text = part
        .replace(/^\/\*\*?|\*\/$|^\/\/ ?/g, "")
        .replace(/\n\s*(\/\/|\*) ?/g, "\n")
        .replace(/`[^`\n]+`/g, "CODE")
        .replace(/^@(returns|throws( \w+)?|param \w+)/, "");
      const found = { file, line, text: text.trim() };
      line += part.split("\n").length - 1;
      return found;
    });
  });
}

function commentRanges(source, file) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const ranges = new Map();
  const visit = (node) => {
    if (node.kind !== ts.SyntaxKind.JsxText)
      for (const range of ts.getLeadingCommentRanges(source, node.pos) ?? []) ranges.set(range.pos, range);
    if (!ts.isJsxElement(node.parent ?? node))
      for (const range of ts.getTrailingCommentRanges(source, node.end) ?? []) ranges.set(range.pos, range);
    node.getChildren(tree).forEach(visit);
  };
  visit(tree);
  const joined = [];
  for (const { pos, end, kind } of [...ranges.values()].sort((a, b) => a.pos - b.pos)) {
    const last = joined.at(-1);
    const isLine = kind === ts.SyntaxKind.SingleLineCommentTrivia;
    if (isLine && last?.isLine && /^\s*$/.test(source.slice(last.end, pos))) last.end = end;
    else joined.push({ pos, end, isLine });
  }
  return joined;
}

/** The names of tests, each with the name of its group as `outer`. */
function testNames(source, file) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const texts = [];
  const visit = (node, outer) => {
    const name = ts.isCallExpression(node) && isTest(node.expression) ? nameIn(node.arguments[0]) : undefined;
    if (name === undefined) {
      ts.forEachChild(node, (child) => visit(child, outer));
      return;
    }
    const line = tree.getLineAndCharacterOfPosition(node.arguments[0].getStart()).line + 1;
    texts.push({ file, line, text: name, outer });
    ts.forEachChild(node, (child) => visit(child, [outer, name].filter(Boolean).join(" ")));
  };
  visit(tree);
  return texts;
}

/** `it`, `it.only`, `it.each(…)`, `(condition ? it : it.skip)`. */
function isTest(callee) {
  if (ts.isIdentifier(callee)) return ["describe", "it", "test"].includes(callee.text);
  if (ts.isParenthesizedExpression(callee)) return isTest(callee.expression);
  if (ts.isConditionalExpression(callee)) return isTest(callee.whenTrue);
  if (ts.isPropertyAccessExpression(callee) || ts.isCallExpression(callee)) return isTest(callee.expression);
  return ts.isTaggedTemplateExpression(callee) && isTest(callee.tag);
}

function nameIn(node) {
  if (node === undefined) return undefined;
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `CODE${literal.text}`).join("");
}

/** The comments of a SQL file, and the descriptions in its header. */
function sqlTexts(source, file) {
  const lineAt = (index) => source.slice(0, index).split("\n").length;
  const descriptions = [...source.matchAll(/description: ?([^\n]*(?:\n {2,}(?![\w]+:)[^\n]*)*)/g)];
  const comments = [...source.matchAll(/(?:^|\s)-- (.*(?:\n\s*-- .*)*)/g)];
  return [...descriptions, ...comments].map((match) => ({
    file,
    line: lineAt(match.index),
    text: match[1]
      .replace(/\n\s*(-- )?/g, "\n")
      .replace(/[,\s]*\}\s*$/, "")
      .replace(/^[>|"']-?\s*|["']$/g, ""),
  }));
}

function filesIn(folder, pattern) {
  return readdirSync(path.join(PROJECT, folder), { recursive: true })
    .filter((file) => pattern.test(file))
    .map((file) => `${folder}/${file}`)
    .sort();
}

function report(groups, only) {
  return groups.flatMap((group) => {
    const { words, found, perThousand } = oddConstructions(group, only);
    const lines = found.map(({ file, line, rule, text }) => `${file}:${line}: ${rule}: ${text}\n`);
    const total = `${group}: ${found.length} in ${words} words, ${perThousand.toFixed(1)} per 1,000\n`;
    return words === 0 ? [] : [[...lines, total].join("")];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const named = process.argv.slice(2);
  const groups = named.filter((name) => name in GROUPS);
  const files = named.filter((name) => !(name in GROUPS));
  const only = files.length > 0 ? (file) => files.includes(file) : undefined;
  process.stdout.write(report(groups.length > 0 ? groups : Object.keys(GROUPS), only).join("\n"));
}
