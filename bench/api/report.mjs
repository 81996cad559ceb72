// What the rounds come to: medians, ratios of medians, and whether the goals are met.

/** The contenders whose names begin so are this project's api. */
const isOurs = (name) => name.startsWith("ours");

const COLUMNS = {
  requestsPerSecond: { title: "requests/s", digits: 0 },
  p50: { title: "p50 ms", digits: 2 },
  p99: { title: "p99 ms", digits: 2 },
  serverMicroseconds: { title: "server CPU µs/request", digits: 0 },
  loadGeneratorBusy: { title: "load generator's CPU", digits: 2 },
};

/** The median over all rounds of each thing that was measured, by contender. */
export function summarize(rounds) {
  return Object.fromEntries(
    Object.entries(rounds).map(([name, measured]) => [
      name,
      Object.fromEntries(
        Object.keys(COLUMNS).map((key) => [key, median(measured.map((round) => round[key]))]),
      ),
    ]),
  );
}

/**
 * How many times the requests of every other contender each of ours answers.
 * @param goals what the ratio shall be at least, by contender, for those with a goal.
 */
export function compare(contenders, goals) {
  const names = Object.keys(contenders);
  return names.filter(isOurs).flatMap((ours) =>
    names
      .filter((name) => !isOurs(name))
      .map((other) => {
        const ratio = contenders[ours].requestsPerSecond / contenders[other].requestsPerSecond;
        const goal = goals[other];
        return { ours, other, ratio, goal, isMet: goal === undefined || ratio >= goal };
      }),
  );
}

/** The report for people. */
export function reportText({ rounds, seconds, connections, cores, node }, contenders, ratios) {
  return [
    `Medians of ${rounds} rounds of ${seconds} s with ${connections} connections that are kept alive, on Node ${node}.`,
    `Server, load generator and database share ${cores} cores. Where the load generator's CPU is near 1, a faster server would`,
    "be measured no faster; then the server's own CPU time says more.",
    "",
    tableText([
      ["", ...Object.values(COLUMNS).map(({ title }) => title)],
      ...Object.entries(contenders).map(([name, medians]) => [
        name,
        ...Object.entries(COLUMNS).map(([key, { digits }]) => medians[key].toFixed(digits)),
      ]),
    ]),
    "",
    tableText([
      ["ratio of the medians of requests/s", "", "goal", ""],
      ...ratios.map(({ ours, other, ratio, goal, isMet }) => [
        `${ours} / ${other}`,
        ratio.toFixed(2),
        goal === undefined ? "" : `${goal}`,
        goal === undefined ? "" : isMet ? "met" : "MISSED",
      ]),
    ]),
    ...("original" in contenders
      ? []
      : ["", "Left out, for TEST_MYSQL_URL names no server: ours on MySQL, and the original service's way."]),
  ].join("\n");
}

function tableText(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
