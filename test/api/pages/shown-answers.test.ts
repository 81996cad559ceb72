import { describe, expect, it } from "@jest/globals";
import { chooseAnswers, chosenAnswers, type Choice } from "../../../src/api/pages/shown-answers.js";
import type { Certainty } from "../../../src/voucher/certainty.js";
import { parseExecutionDate } from "../../../src/voucher/execution-date.js";
import { Answers, Cells, type PlacedCell } from "../../../src/voucher/published-answers.js";
import type { SegmentKind } from "../../../src/voucher/segment-rules.js";

const SURE: Certainty = { chance: 0.99, word: "sure" };
const LIKELY: Certainty = { chance: 0.8, word: "likely" };
const TOSS_UP: Certainty = { chance: 0.5, word: "toss-up" };

function placed(
  countryCode: string,
  voucherAmount: number,
  certainty: Certainty | undefined = SURE,
  segmentAssignments = 10,
  kind: SegmentKind = "frequent_segment",
): PlacedCell {
  const cell = { voucherAmount, assignments: 5, segmentAssignments, runnerUp: undefined, certainty };
  return { countryCode, kind, segment: "0-4", cell };
}

function answersOf(...cells: PlacedCell[]): Answers {
  const kind = { description: "", measure: "orders", segments: [{ name: "0-4", up_to: 4 }, { name: "4+" }] };
  const publication = {
    executionDate: parseExecutionDate("2020-05-29"),
    runId: "run",
    sqlVersion: "v1",
    sqlHash: "",
    dataHash: "",
    publishedAt: "2020-05-29T00:00:00Z",
    rowCounts: {},
  };
  const rules = { segments: { frequent_segment: kind, recency_segment: kind }, certainty: undefined };
  return new Answers(publication, rules, new Cells(cells), undefined);
}

const AFTER = answersOf(
  placed("Peru", 1, SURE),
  placed("Chad", 2, TOSS_UP, 6),
  placed("Côte d’Ivoire", 3, LIKELY, 50),
  placed("Peru", 9, TOSS_UP, 4, "recency_segment"),
);
const BEFORE = answersOf(
  placed("Peru", 1),
  placed("Chad", 7),
  placed("Cuba", 5, SURE, 20),
  placed("Peru", 9, SURE, 4, "recency_segment"),
);

function chosen(choice: Choice, before?: Answers): string[] {
  return [...chosenAnswers(chooseAnswers(AFTER, before, choice), AFTER)].map(
    ({ countryCode, cell, before: earlier, hasChanged }) =>
      `${countryCode} ${String(cell?.voucherAmount)}${hasChanged ? ` was ${String(earlier?.voucherAmount)}` : ""}`,
  );
}

describe("the selected answers", () => {
  it("are all answers by default, by country", () => {
    expect(chosen({}, BEFORE)).toEqual(["Chad 2 was 7", "Côte d’Ivoire 3 was undefined", "Peru 1", "Peru 9"]);
  });

  it.each<[Choice, string[]]>([
    [{ certainty: "toss-up" }, ["Chad 2 was 7", "Peru 9"]],
    [{ certainty: "toss-up", changed: "yes" }, ["Chad 2 was 7"]],
    [
      { changed: "yes", sort: "change" },
      ["Côte d’Ivoire 3 was undefined", "Cuba undefined was 5", "Chad 2 was 7"],
    ],
    [{ sort: "certainty", certainty: "likely" }, ["Côte d’Ivoire 3 was undefined"]],
    [{ q: "COTE D" }, ["Côte d’Ivoire 3 was undefined"]],
    [{ q: "nowhere" }, []],
  ])("of %j are these", (choice, answers) => {
    expect(chosen(choice, BEFORE)).toEqual(answers);
  });

  it("are sorted by their least certain answer, for each kind of segment", () => {
    const { tables } = chooseAnswers(AFTER, BEFORE, {});
    expect(tables.frequent_segment.map(({ countryCode }) => countryCode)).toContain("Cuba");
    expect(chosen({ sort: "certainty" }, BEFORE).map((text) => text.split(" ")[0])).toEqual([
      "Chad",
      "Côte",
      "Peru",
      "Peru",
    ]);
  });

  it("are counted, and each count matches the page behind its link", () => {
    const { count, countries, all, byWord, changed } = chooseAnswers(AFTER, BEFORE, { certainty: "toss-up" });
    expect({ count, countries, all, byWord, changed }).toEqual({
      count: 2,
      countries: 2,
      all: 4,
      byWord: { sure: 1, likely: 1, "toss-up": 2 },
      changed: 1,
    });
    expect(chooseAnswers(AFTER, BEFORE, { changed: "yes" })).toMatchObject({
      count: 3,
      all: 4,
      byWord: { sure: 1, likely: 1, "toss-up": 1 },
      changed: 3,
    });
  });

  it("have no changes if there is nothing to compare with, and no words if the SQL had none", () => {
    expect(chosen({})).toEqual(["Chad 2", "Côte d’Ivoire 3", "Peru 1", "Peru 9"]);
    const old = answersOf({
      ...placed("Peru", 1),
      cell: { ...placed("Peru", 1).cell, certainty: undefined },
    });
    expect(chooseAnswers(old, undefined, {}).byWord).toBeUndefined();
  });
});
