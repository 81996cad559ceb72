// What the rounds come to, as text, as JSON and as a picture.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { scaleLinear } from "d3-scale";

const FOLDER = path.join(import.meta.dirname, "results");
const MEGABYTE = 1024 * 1024;
/** The colours of the pipeline and of all else in the charts. */
export const [OURS, OTHERS] = ["#1f6feb", "#8b949e"];

/** Medians of each contender, and how many times as long as the first one it took. */
export function summaryOf(facts, rounds) {
  const measured = Object.entries(rounds).map(([name, taken]) => ({ name, ...mediansOf(taken) }));
  const contenders = measured.map(({ name, seconds, ...rest }) => ({
    name,
    seconds,
    times: rounded(seconds / measured[0].seconds, 2),
    ...rest,
  }));
  return { ...facts, contenders };
}

/** The medians of what processes took; null of what this machine does not tell. */
export function mediansOf(measured) {
  const medianOf = (numbers) => {
    const known = numbers.filter((number) => number !== undefined);
    return known.length === 0 ? null : median(known);
  };
  const processorSeconds = medianOf(measured.map((one) => one.processorSeconds));
  const peakBytes = medianOf(measured.map((one) => one.peakBytes));
  return {
    seconds: rounded(median(measured.map((one) => one.seconds)), 3),
    processor_seconds: processorSeconds === null ? null : rounded(processorSeconds, 2),
    peak_megabytes: peakBytes === null ? null : Math.round(peakBytes / MEGABYTE),
    rounds: measured.map((one) => rounded(one.seconds, 3)),
  };
}

/** The summary for people. */
export function summaryText({ rows, where, node, cores, contenders }) {
  const [{ name: first, rounds }] = contenders;
  return [
    `${rows} rows in ${where}: medians of ${rounds.length} rounds in turn, whole processes; Node ${node}, ${cores} cores`,
    ...contenders.map(({ name, seconds, times, processor_seconds, peak_megabytes, rounds: taken }) =>
      [
        name.padEnd(15),
        `${seconds.toFixed(2)} s`.padStart(9),
        `${times.toFixed(2)} × ${first}`.padStart(17),
        `${processor_seconds?.toFixed(2) ?? "?"} s of CPU`.padStart(17),
        `${peak_megabytes ?? "?"} MB`.padStart(9),
        `  rounds ${taken.map((second) => second.toFixed(2)).join(" ")}`,
      ].join(" "),
    ),
    ...ratioLine(contenders),
  ].join("\n");
}

/** The ratio that the goals are about. */
function ratioLine(contenders) {
  const secondsOf = (name) => contenders.find((contender) => contender.name === name)?.seconds;
  const [ours, bare] = [secondsOf("pipeline"), secondsOf("bare")];
  return ours === undefined || bare === undefined ? [] : [`pipeline / bare: ${(ours / bare).toFixed(2)}`];
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

/** A bar for each contender, as long as it took. */
export function barChart(title, contenders) {
  const [left, width, line, top] = [130, 720, 30, 40];
  const longest = Math.max(...contenders.map(({ seconds }) => seconds));
  const x = scaleLinear([0, longest], [0, width - left - 190]);
  const bars = contenders.map(({ name, seconds, peak_megabytes }, index) => {
    const y = top + index * line;
    const label = `${seconds.toFixed(2)} s, ${peak_megabytes ?? "?"} MB`;
    return (
      `<text x="${left - 10}" y="${y + 15}" text-anchor="end">${name}</text>` +
      `<rect x="${left}" y="${y}" width="${x(seconds).toFixed(1)}" height="${line - 10}" rx="2" fill="${index === 0 ? OURS : OTHERS}"/>` +
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
