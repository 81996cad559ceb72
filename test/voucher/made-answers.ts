import path from "node:path";
import type { Certainty } from "../../src/voucher/certainty.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { Answers, Cells, type Cell, type PlacedCell } from "../../src/voucher/published-answers.js";
import { readSegments } from "../../src/voucher/read-segments.js";
import { PROJECT } from "../workspace.js";

const segments = await readSegments(path.join(PROJECT, "sql/v1"));

/** A publication that has these answers. */
export function answersOf(cells: Iterable<PlacedCell>): Answers {
  const publication = {
    executionDate: parseExecutionDate("2020-05-29"),
    runId: "run",
    sqlVersion: "v1",
    sqlHash: "",
    dataHash: "",
    publishedAt: "2020-05-29T06:00:00.000Z",
    rowCounts: {},
  };
  return new Answers(publication, { segments, certainty: undefined }, new Cells(cells), undefined);
}

/** An answer that rests on as many vouchers. */
export function cellOf(voucherAmount: number, segmentAssignments = 1, certainty?: Certainty): Cell {
  return { voucherAmount, assignments: 1, segmentAssignments, runnerUp: undefined, certainty };
}
