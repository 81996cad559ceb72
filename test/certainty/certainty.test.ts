import { describe, expect, it } from "@jest/globals";
import { rowsOf, valueOf } from "../sql/session.js";

/** The counts of the other amounts, smaller than 0 if the amount is smaller than the winner's: it wins if both are used equally often. */
type Rivals = readonly number[];

const certaintyOf = (winner: number, rivals: Rivals) =>
  valueOf(`chance_to_win_again(${winner}, ${total(winner, rivals)}, ${listOf(rivals)})`);

function total(winner: number, rivals: Rivals): number {
  return winner + rivals.reduce((sum, rival) => sum + Math.abs(rival), 0);
}

function listOf(rivals: Rivals): string {
  return rivals.length === 0 ? "CAST(NULL AS BIGINT[])" : `CAST([${rivals.join(", ")}] AS BIGINT[])`;
}

/** Adds up the chances of all ways in which as many vouchers can be drawn anew and the same amount wins. */
function enumerated(winner: number, rivals: Rivals): number {
  const drawn = total(winner, rivals);
  const chances = [winner, ...rivals].map((count) => Math.abs(count) / drawn);
  let sum = 0;
  const draw = (amount: number, left: number, most: number, chance: number) => {
    if (amount === chances.length) {
      if (left === 0) sum += chance;
      return;
    }
    const isSmaller = (rivals[amount - 1] ?? 1) < 0;
    const limit = amount === 0 ? left : Math.min(left, isSmaller ? most - 1 : most);
    for (let times = 0; times <= limit; times += 1) {
      const ways = binomial(left, times) * (chances[amount] ?? 0) ** times;
      draw(amount + 1, left - times, amount === 0 ? times : most, chance * ways);
    }
  };
  draw(0, drawn, 0, 1);
  return sum;
}

function binomial(of: number, taken: number): number {
  let ways = 1;
  for (let step = 1; step <= taken; step += 1) ways = (ways * (of - taken + step)) / step;
  return ways;
}

/** Every way in which so many vouchers can be spread over the winner and a number of rivals. */
function* patterns(vouchers: number, mostRivals: number): Generator<readonly [number, Rivals]> {
  for (let winner = 1; winner < vouchers; winner += 1) {
    for (const rivals of spread(vouchers - winner, winner, mostRivals)) yield [winner, rivals];
  }
}

/** @param highest the first count, which those after it do not exceed; negative ones come after the same positive ones. */
function* spread(vouchers: number, highest: number, mostRivals: number): Generator<Rivals> {
  if (vouchers === 0) yield [];
  if (vouchers === 0 || mostRivals === 0) return;
  const winner = Math.abs(highest);
  for (let count = Math.min(vouchers, winner); count >= 1; count -= 1) {
    for (const signed of [count, -count]) {
      if (signed > highest && count === winner) continue;
      for (const rest of spread(vouchers - count, signed, mostRivals - 1)) yield [signed, ...rest];
    }
  }
}

describe("the certainty of an answer", () => {
  it.each([
    ["one voucher proves nothing", 1, [], 0.5],
    ["two equal ones are a toss-up", 2, [], 0.741],
    ["four equal ones are not sure", 4, [], 0.942],
    ["five equal ones are", 5, [], 0.965],
    ["one against one, which wins ties of a larger amount", 1, [1], 0.75],
    ["two against one and one, all larger", 2, [1, 1], 0.688],
    ["two against one and one, all smaller", 2, [-1, -1], 0.5],
    ["two against one and one, a smaller and a larger", 2, [1, -1], 0.594],
    ["4 against 1", 4, [1], 0.942],
    ["20 against 9", 20, [9], 0.984],
  ])("%s", async (_name, winner, rivals, chance) => {
    expect(await certaintyOf(winner, rivals)).toBe(chance);
  });

  it.each([
    [2, 2],
    [3, 3],
    [5, 5],
    [8, 8],
    [12, 4],
  ])("of %d vouchers is the sum over all ways of drawing them again", async (vouchers, mostRivals) => {
    // A smaller amount that is used as often would have won.
    const all = [...patterns(vouchers, mostRivals)].filter(([winner, rivals]) => !rivals.includes(-winner));
    const values = all.map(
      ([winner, rivals], index) => `(${index}, ${winner}, ${vouchers}, ${listOf(rivals)})`,
    );
    const rows = await rowsOf(
      `SELECT chance_to_win_again(winner, total, rivals) AS chance
       FROM (VALUES ${values.join(", ")}) AS patterns(index, winner, total, rivals) ORDER BY index`,
    );
    const far = all.filter(
      ([winner, rivals], index) =>
        Math.abs(Number(rows[index]?.["chance"]) - enumerated(winner, rivals)) > 0.000_51,
    );
    expect(rows).toHaveLength(all.length);
    expect(far).toEqual([]);
  });

  it.each([
    [16, [-14]],
    [15, [15]],
    [20, [10]],
    [12, [10, -9]],
    [11, [10, 9, -9]],
  ])("of %d against %j is the same with an integral instead of the sum", async (winner, rivals) => {
    const chance = await certaintyOf(winner, rivals);
    expect(Math.abs(Number(chance) - enumerated(winner, rivals))).toBeLessThan(0.02);
  });

  it.each([
    [9, 5_000, 1, 0.849],
    [10, 2_000, 1, 0.931],
    [8, 100, 1, 0.943],
    [8, 100, -1, 0.873],
    [13, 500, 2, 0.957],
  ])(
    "of %d against %d amounts of %d each is not called sure if draws are not",
    async (winner, amounts, each, drawn) => {
      const rivals = Array.from({ length: amounts }, () => each);
      const chance = Number(await certaintyOf(winner, rivals));
      expect(chance).toBeLessThanOrEqual(drawn);
      expect(chance).toBeGreaterThan(drawn - 0.02);
    },
  );

  it("is the normal approximation of the two leading counts if others are far behind", async () => {
    // Φ((n₁ − n₂) / √(n₁ + n₂ − (n₁ − n₂)² / n)) with 5,300 and 5,200 of 16,974: 0.835
    expect(Number(await certaintyOf(5_300, [5_200, 1_000, 5_474 - 1_000 - 3_000, 3_000]))).toBeCloseTo(
      0.835,
      2,
    );
  });

  it("grows with the lead, and with the vouchers if their shares stay", async () => {
    const chances = async (counts: readonly (readonly [number, Rivals])[]) => {
      const found: number[] = [];
      for (const [winner, rivals] of counts) found.push(Number(await certaintyOf(winner, rivals)));
      return found;
    };
    for (const growing of [
      await chances([10, 12, 14, 16, 18, 20, 24, 28, 40].map((winner) => [winner, [-9, 5]] as const)),
      await chances(
        [3, 6, 12, 24, 48, 96, 384].map((winner) => [winner, [-winner * 0.6, 3].map(Math.round)] as const),
      ),
      await chances([1, 2, 3, 4, 5, 8, 20, 29, 30, 31, 1_000].map((winner) => [winner, []] as const)),
    ])
      expect(growing).toEqual(growing.toSorted((a, b) => a - b));
  });

  it.each([
    [1, "sure"],
    [0.95, "sure"],
    [0.949, "likely"],
    [0.75, "likely"],
    [0.749, "toss-up"],
    [0.001, "toss-up"],
  ])("of %d is in words %s", async (chance, word) => {
    expect(await valueOf(`certainty_word(${chance})`)).toBe(word);
  });
});
