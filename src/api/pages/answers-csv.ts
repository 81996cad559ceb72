import type { RequestHandler } from "express";
import { shortIso } from "../../voucher/execution-date.js";
import { checked } from "../http/problems.js";
import type { Services } from "../http/services.js";
import { csvText } from "../v1/csv-text.js";
import { answersQuery } from "./answers-page.js";
import { segmentInWords } from "./grid.js";
import { chooseAnswers, chosenAnswers, type ShownAnswer } from "./shown-answers.js";

/** Spreadsheets recognise UTF-8 only by this mark. */
const BYTE_ORDER_MARK = "\uFEFF";

/** A segment has its unit, because spreadsheets read `5-13` as a day in May. */
const COLUMNS: Readonly<Record<string, (answer: ShownAnswer) => string | number | undefined>> = {
  country: ({ countryCode }) => countryCode,
  segment: segmentInWords,
  amount: ({ cell }) => cell?.voucherAmount,
  certainty: ({ cell }) => cell?.certainty?.word,
  chance: ({ cell }) => cell?.certainty?.chance,
  vouchers: ({ cell }) => cell?.segmentAssignments,
  changed: ({ hasChanged }) => (hasChanged ? "yes" : "no"),
  amount_before: ({ before }) => before?.voucherAmount,
};

/** The answers that the first page shows for the same query, on all its pages, as a file for a spreadsheet. */
export function sendAnswersCsv({ store }: Services): RequestHandler {
  return async (request, response) => {
    const { execution_date, ...choice } = checked(answersQuery, request.query, "");
    const answers = await store.of(execution_date);
    const { executionDate } = answers.publication;
    const chosen = chooseAnswers(answers, await store.before(executionDate), choice);
    const lines = [...chosenAnswers(chosen, answers)].map((answer) =>
      Object.values(COLUMNS).map((valueOf) => valueOf(answer)),
    );
    // A spreadsheet runs a text that begins as a formula does, and names come from outside.
    const csv = csvText([Object.keys(COLUMNS), ...lines], { escape: "spreadsheet" });
    response.set("Cache-Control", "no-store");
    response.attachment(`answers-${shortIso(executionDate).replaceAll(":", "")}.csv`);
    response.type("text/csv").send(BYTE_ORDER_MARK + csv);
  };
}
