// How a run grows, as text and as a picture.
import { scaleLinear, scaleLog } from "d3-scale";
import { line } from "d3-shape";
import { OTHERS, OURS, pictureOf } from "./results.mjs";

/** The points for people, a line for each contender of each. */
export function growthText({ axis, memory_limit, node, cores, points }) {
  const [{ contenders }] = points;
  const limit = memory_limit === null ? "" : `DuckDB's memory limited to ${memory_limit}; `;
  return [
    `growing ${axis}: medians of ${contenders[0].rounds.length} rounds, whole processes; ${limit}Node ${node}, ${cores} cores`,
    ...points.flatMap(({ rows, files, countries, contenders: measured }) =>
      measured.map((contender) =>
        [
          `${rows} rows`.padStart(14),
          `${files} files`.padStart(11),
          `${countries} countries`.padStart(16),
          `  ${contender.name.padEnd(9)}`,
          `${contender.seconds.toFixed(2)} s`.padStart(9),
          `${contender.seconds_per_million_rows.toFixed(2)} s a million`.padStart(18),
          `${contender.processor_seconds.toFixed(2)} s of CPU`.padStart(17),
          `${contender.peak_megabytes ?? "?"} MB`.padStart(9),
        ].join(" "),
      ),
    ),
  ].join("\n");
}

/** Two charts beside each other: the seconds, where a straight line up by one in one is as many times more for as many times more; and the memory. */
export function growthChart({ axis, memory_limit, points }) {
  const [width, height] = [720, 340];
  const limit = memory_limit === null ? "" : `, DuckDB limited to ${memory_limit}`;
  const title = `Seconds and peak memory of a whole run by ${axis}${limit}, medians`;
  const measures = [
    { key: "seconds", unit: "s", left: 60, scale: scaleLog },
    { key: "peak_megabytes", unit: "MB", left: 430, scale: scaleLinear },
  ];
  return pictureOf(title, { width, height }, [
    `<text x="60" y="22" font-weight="bold">${title}</text>`,
    ...measures.flatMap((measure) => panel(axis, points, measure)),
    ...points[0].contenders.map(
      ({ name }, index) =>
        `<text x="${60 + index * 90}" y="${height - 8}" fill="${colourOf(index)}">● ${name}</text>`,
    ),
  ]);
}

function panel(axis, points, { key, unit, left, scale }) {
  const [panelWidth, top, bottom] = [260, 60, 280];
  const all = points.flatMap(({ contenders }) => contenders.map((contender) => contender[key] ?? 0));
  const x = scaleLog(
    [points[0], points.at(-1)].map((point) => point[axis]),
    [left, left + panelWidth],
  );
  const lowest = scale === scaleLog ? Math.min(...all) / 1.5 : 0;
  const y = scale([lowest, Math.max(...all)], [bottom, top]);
  const lines = points[0].contenders.flatMap((_, index) => {
    const measured = points.map((point) => ({
      at: x(point[axis]),
      value: point.contenders[index][key] ?? 0,
    }));
    const course = line(
      ({ at }) => at,
      ({ value }) => y(value),
    )(measured);
    const colour = colourOf(index);
    return [
      `<path d="${course}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...measured.map(
        ({ at, value }) =>
          `<circle cx="${at.toFixed(1)}" cy="${y(value).toFixed(1)}" r="3" fill="${colour}"/>` +
          `<text x="${at.toFixed(1)}" y="${(y(value) + (index === 0 ? -8 : 18)).toFixed(1)}" text-anchor="middle" font-size="11">${shown(value)}</text>`,
      ),
    ];
  });
  return [
    `<text x="${left}" y="44">${unit}</text>`,
    `<line x1="${left}" y1="${bottom}" x2="${left + panelWidth}" y2="${bottom}" stroke="${OTHERS}"/>`,
    ...points.map(
      (point) =>
        `<text x="${x(point[axis]).toFixed(1)}" y="${bottom + 18}" text-anchor="middle" font-size="11">${shown(point[axis])}</text>`,
    ),
    `<text x="${left + panelWidth / 2}" y="${bottom + 36}" text-anchor="middle">${axis}</text>`,
    ...lines,
  ];
}

function colourOf(index) {
  return index === 0 ? OURS : OTHERS;
}

function shown(number) {
  return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(number);
}
