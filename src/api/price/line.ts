import type { Answers } from "../../voucher/answers.js";
import type { Customer } from "../../voucher/customer.js";
import { decide, type DecisionOptions } from "../../voucher/decision.js";
import type { SegmentKind } from "../../voucher/segments.js";
import { fieldErrors } from "../http/problems.js";
import { Problem, type FieldError } from "../http/problems.js";
import { completeCustomer } from "../schemas/customer.js";
import type { PricedLine } from "../schemas/price.js";
import type { Format } from "./formats.js";

/** Enough to see what is wrong with a line, whatever was sent. */
const FAULTS_TOLD = 5;

/** What lines are answered by. */
export interface Pricing {
  readonly schema: Format["schema"];
  readonly answers: Answers;
  readonly options: DecisionOptions;
  /** Of the lines that name none. */
  readonly segmentName: SegmentKind | undefined;
}

/**
 * Answers one line, or says what is wrong with it.
 * @param line its number.
 */
export function priced(line: number, given: unknown, { answers, options, ...rest }: Pricing): PricedLine {
  const value = completed(given, rest.segmentName);
  const parsed = rest.schema.safeParse(value, { reportInput: true });
  if (!parsed.success) return faulty(line, value, fieldErrors(parsed.error.issues, ""));
  const customer = customerOr(parsed.data, options.asOf);
  if (customer instanceof Problem) return faulty(line, value, customer.errors);
  const { segment, voucherAmount, basis } = decide(answers, customer, options);
  return {
    line,
    customer_id: parsed.data.customer_id ?? null,
    country_code: customer.country_code,
    segment_name: customer.segment_name,
    segment,
    voucher_amount: voucherAmount,
    basis,
    error: null,
  };
}

function completed(given: unknown, segmentName: SegmentKind | undefined): unknown {
  return segmentName === undefined || !isObject(given) ? given : { segment_name: segmentName, ...given };
}

function customerOr(given: Parameters<typeof completeCustomer>[0], asOf: Date): Customer | Problem {
  try {
    return completeCustomer(given, asOf);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function faulty(line: number, value: unknown, errors: readonly FieldError[]): PricedLine {
  const { customer_id, country_code, segment_name } = isObject(value) ? value : {};
  const told = errors.slice(0, FAULTS_TOLD);
  return {
    line,
    customer_id: typeof customer_id === "number" ? customer_id : textOrNull(customer_id),
    country_code: textOrNull(country_code),
    segment_name: textOrNull(segment_name),
    segment: null,
    voucher_amount: null,
    basis: null,
    error: told.map(({ field, message }) => `${field === "" ? "line" : field} ${message}`).join("; "),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
