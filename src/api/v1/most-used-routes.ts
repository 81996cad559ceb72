import * as z from "zod";
import { certaintyTold } from "../../record/answers.js";
import { customerBody, customerQuery, dayOf } from "../../voucher/customer-schema.js";
import { reasonOf, type Customer } from "../../voucher/customer-segment.js";
import { decide, type Decision, type DecisionOptions } from "../../voucher/decision.js";
import { calendarDays } from "../../voucher/moment.js";
import type { Answers } from "../../voucher/published-answers.js";
import { JSON_TYPE } from "../http/bodies.js";
import { isUnchanged, tellPublication } from "../http/freshness.js";
import { operation, type Operation } from "../http/operation.js";
import { Problem, type ProblemType } from "../http/problems.js";
import type { Services } from "../http/services.js";
import {
  answerOptions,
  answerSchema,
  publicationDocument,
  type AnswerDocument,
  type ReceiptDocument,
} from "./answer-schema.js";
import { completeCustomer } from "./complete-customer.js";
import { tellDeprecated } from "./deprecations.js";
import { UnknownCountries } from "./unknown-countries.js";

const MAX_CUSTOMERS = 10_000;

const BODY_MESSAGE = `must be a customer, or a list of 1 to ${MAX_CUSTOMERS.toLocaleString("en")} customers`;

const optionsQuery = z.strictObject(answerOptions);
type Options = z.output<typeof optionsQuery>;

/** The problems that an answer of `/v1` can end with. */
export const ANSWER_PROBLEMS: readonly ProblemType[] = [
  "impossible-request",
  "unknown-publication",
  "no-country-answers",
  "no-certainty",
  "no-publication",
];

/** `GET /v1/vouchers/most-used`: the voucher of one customer. */
export function mostUsedOfOne(services: Services): Operation {
  return operation({
    method: "get",
    path: "/v1/vouchers/most-used",
    name: "getMostUsedVoucher",
    summary: "The most used voucher of a customer's segment",
    tag: "Vouchers",
    query: customerQuery.extend(answerOptions),
    answers: { [JSON_TYPE]: { schema: answerSchema } },
    problems: ANSWER_PROBLEMS,
    isConditional: true,
    handle: async ({ query }, request, response) => {
      const now = services.now();
      const options = decisionOptions(query, now);
      const customer = completeCustomer(query, options.asOf);
      const answers = await answersFor(services, query);
      tellPublication(response, services, answers.publication);
      if (isUnchanged(request, response, [answers.publication], dayOf(now))) return;
      const explainedAt = query.explain === true ? now : undefined;
      if (query.explain === true) tellDeprecated(response);
      response.json(
        answerOf(customer, { answers, options, explainedAt, unknown: new UnknownCountries(answers) }),
      );
    },
  });
}

/** `POST /v1/vouchers/most-used`: the vouchers of one customer or of many. */
export function mostUsedOfMany(services: Services): Operation {
  return operation({
    method: "post",
    path: "/v1/vouchers/most-used",
    name: "findMostUsedVouchers",
    summary: "The most used vouchers of up to 10,000 customers",
    description: "A list of customers gets a list of answers in the same order.",
    tag: "Vouchers",
    query: optionsQuery,
    body: z.union(
      [customerBody, z.array(customerBody).min(1, BODY_MESSAGE).max(MAX_CUSTOMERS, BODY_MESSAGE)],
      BODY_MESSAGE,
    ),
    answers: { [JSON_TYPE]: { schema: z.union([answerSchema, z.array(answerSchema)]) } },
    problems: ANSWER_PROBLEMS,
    handle: async ({ query, body }, _request, response) => {
      const now = services.now();
      const options = decisionOptions(query, now);
      const explainedAt = query.explain === true ? now : undefined;
      const isList = Array.isArray(body);
      const customers = (isList ? body : [body]).map((given, index) => ({
        customer_id: given.customer_id,
        customer: completeCustomer(given, options.asOf, isList ? `body.${index.toString()}.` : "body."),
      }));
      const answers = await answersFor(services, query);
      tellPublication(response, services, answers.publication);
      response.set("Cache-Control", "no-store");
      if (query.explain === true) tellDeprecated(response);
      const asking = { answers, options, explainedAt, unknown: new UnknownCountries(answers) };
      const documents = customers.map(({ customer_id, customer }) => ({
        ...(customer_id === undefined ? {} : { customer_id }),
        ...answerOf(customer, asking),
      }));
      response.json(isList ? documents : documents[0]);
    },
  });
}

/** The options of a decision, from the parameters of a query. */
export function decisionOptions(
  {
    as_of,
    fallback,
    min_assignments,
    min_certainty,
  }: Pick<Options, "as_of" | "fallback" | "min_assignments" | "min_certainty">,
  now: Date,
): DecisionOptions {
  return {
    asOf: as_of ?? now,
    fallback: fallback ?? "none",
    minAssignments: min_assignments ?? 1,
    minCertainty: min_certainty,
  };
}

/**
 * The answers for a query.
 * @throws Problem unknown-publication.
 * @throws Problem no-country-answers if there is no fallback to countries.
 * @throws Problem no-certainty if the answers of the publication have no certainty.
 */
export async function answersFor(
  { store }: Services,
  { execution_date, fallback, min_certainty }: Pick<Options, "execution_date" | "fallback" | "min_certainty">,
): Promise<Answers> {
  const answers = await store.of(execution_date);
  if (min_certainty !== undefined) expectCertainty(answers);
  if (fallback !== "country" || answers.knowsCountries) return answers;
  const executionDate = answers.publication.executionDate.iso;
  throw new Problem(
    "no-country-answers",
    `The publication of ${executionDate} has no answers for countries, because it is older than they are. Run its date again.`,
    [{ field: "fallback", message: "cannot be country for this publication" }],
  );
}

/** @throws Problem no-certainty if the answers of the publication have no certainty. */
export function expectCertainty(answers: Answers): void {
  if (answers.knowsCertainty) return;
  const executionDate = answers.publication.executionDate.iso;
  throw new Problem(
    "no-certainty",
    `The publication of ${executionDate} has no certainty, because it is older than that. Run its date again.`,
    [{ field: "min_certainty", message: "is not possible for this publication" }],
  );
}

/** The inputs for the answers of customers. */
interface Asking {
  readonly answers: Answers;
  readonly options: DecisionOptions;
  /** The time to which the data's age counts; undefined without a receipt. */
  readonly explainedAt: Date | undefined;
  readonly unknown: UnknownCountries;
}

function answerOf(customer: Customer, { answers, options, explainedAt, unknown }: Asking): AnswerDocument {
  const decision = decide(answers, customer, options);
  const { noneBecause } = decision;
  return {
    voucher_amount: decision.voucherAmount,
    segment: decision.segment,
    basis: decision.basis,
    execution_date: answers.publication.executionDate.iso,
    ...(noneBecause === undefined ? {} : { none_because: noneBecause }),
    ...(noneBecause === "unknown_country"
      ? { nearest_countries: [...unknown.nearest(customer.country_code)] }
      : {}),
    ...(explainedAt === undefined
      ? {}
      : { receipt: receiptOf(answers, customer, decision, options.asOf, explainedAt) }),
  };
}

function receiptOf(
  answers: Answers,
  customer: Customer,
  { cell, country }: Decision,
  asOf: Date,
  now: Date,
): ReceiptDocument {
  const { measure, measured, text } = reasonOf(answers.segments, customer, asOf);
  const { publication } = answers;
  const segmentAnswer = cell === undefined ? null : cellReceipt(cell);
  const countryAnswer =
    country === undefined
      ? null
      : {
          voucher_amount: country.voucherAmount,
          assignments: country.assignments,
          country_assignments: country.countryAssignments,
        };
  return {
    segment_name: customer.segment_name,
    reason: text,
    measure,
    measured,
    as_of: dayOf(asOf),
    segment_answer: segmentAnswer,
    country_answer: countryAnswer,
    segment: segmentAnswer,
    country: countryAnswer,
    publication: publicationDocument(publication),
    age_days: calendarDays(new Date(publication.executionDate.iso), now),
  };
}

function cellReceipt({
  voucherAmount,
  assignments,
  segmentAssignments,
  runnerUp,
  certainty,
}: NonNullable<Decision["cell"]>): NonNullable<ReceiptDocument["segment"]> {
  const margin = assignments - (runnerUp?.assignments ?? 0);
  return {
    voucher_amount: voucherAmount,
    assignments,
    segment_assignments: segmentAssignments,
    share: assignments / segmentAssignments,
    runner_up:
      runnerUp === undefined
        ? null
        : { voucher_amount: runnerUp.voucherAmount, assignments: runnerUp.assignments },
    margin,
    margin_share: margin / segmentAssignments,
    ...certaintyTold(certainty),
  };
}
