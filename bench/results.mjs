// What the rounds come to, as text, as JSON and as a picture.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { scaleLinear } from "d3-scale";

const FOLDER = path.join(import.meta.dirname, "results");
const MEGABYTE = 1024 * 1024;
/** The colours of the pipeline and of all else in the charts. */
export const [OURS, OTHERS] = ["#1f6feb", "#8b949e"];

/** The medians of what processes took; null of what this machine does not tell. */
export function mediansOf(measured) {
  const peaks = measured.flatMap(({ peakBytes }) => peakBytes ?? []);
  return {
    seconds: rounded(median(measured.map((one) => one.seconds)), 3),
    processor_seconds: rounded(median(measured.map((one) => one.processorSeconds)), 3),
    peak_megabytes: peaks.length === 0 ? null : Math.round(median(peaks) / MEGABYTE),
    rounds: measured.map((one) => rounded(one.seconds, 3)),
  };
}

/** A line of Markdown for each spelling of the raw files, with the medians of all contenders. */
export function spellingsText({ bare, node, cores, rounds, contenders, spellings }) {
  const table = [
    ["raw files", "rows", ...contenders.flatMap((name) => [name, "processor", "peak"]), "pipeline / bare"],
    ...spellings.map(({ spelling, rows, ratio, contenders: measured }) => [
      spelling,
      rows.toLocaleString("en"),
      ...contenders.flatMap((name) => cellsOf(measured.find((one) => one.name === name))),
      ratio?.toFixed(2) ?? "",
    ]),
  ];
  const widths = table[0].map((_, column) => Math.max(...table.map((cells) => cells[column].length)));
  const [head, ...lines] = table.map(
    (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`,
  );
  return [
    `medians of ${rounds} rounds in turn, whole processes; Node ${node}, ${cores} cores; the bare script in ${bare}`,
    "",
    head,
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...lines,
  ].join("\n");
}

function cellsOf(measured) {
  if (measured === undefined) return ["", "", ""];
  const { seconds, processor_seconds, peak_megabytes } = measured;
  return [`${seconds.toFixed(2)} s`, `${processor_seconds.toFixed(2)} s`, `${peak_megabytes ?? "?"} MB`];
}

/** Writes a summary and its chart, for docs/performance.md. */
export function saveResults(name, summary, chart) {
  saveJson(name, summary);
  writeFileSync(path.join(FOLDER, `${name}.svg`), chart);
}

/** Writes what was measured. */
export function saveJson(name, results) {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(path.join(FOLDER, `${name}.json`), `${JSON.stringify(results, null, 2)}\n`);
}

/** A bar for each contender, as long as it took; `isOurs` says whose it is, else the first is ours. */
export function barChart(title, contenders) {
  const [left, width, line, top] = [130, 720, 30, 40];
  const longest = Math.max(...contenders.map(({ seconds }) => seconds));
  const x = scaleLinear([0, longest], [0, width - left - 190]);
  const bars = contenders.map(({ name, seconds, peak_megabytes, isOurs }, index) => {
    const y = top + index * line;
    const label = `${seconds.toFixed(2)} s, ${peak_megabytes ?? "?"} MB`;
    return (
      `<text x="${left - 10}" y="${y + 15}" text-anchor="end">${name}</text>` +
      `<rect x="${left}" y="${y}" width="${x(seconds).toFixed(1)}" height="${line - 10}" rx="2" fill="${(isOurs ?? index === 0) ? OURS : OTHERS}"/>` +
      `<text x="${(left + x(seconds) + 8).toFixed(1)}" y="${y + 15}">${label}</text>`
    );
  });
  const heading = `<text x="${left}" y="22" font-weight="bold">${title}</text>`;
  return pictureOf(title, { width, height: top + contenders.length * line + 10 }, [heading, ...bars]);
}

/** An SVG with what is said of it for who does not see it. */
export function pictureOf(title, { width, height }, elements) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}" font-family="sans-serif" font-size="13" fill="#57606a">`,
    `<title>${title}</title>`,
    ...elements,
    "</svg>",
    "",
  ].join("\n");
}

export function rounded(number, digits) {
  return Number(number.toFixed(digits));
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
