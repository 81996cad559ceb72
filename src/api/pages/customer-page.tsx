import type { Request } from "express";
import type { VNode } from "preact";
import type { FieldError } from "../../base/field-errors.js";
import { counted, counting, dayInWords, percent } from "../../base/words.js";
import { chanceInWords } from "../../record/answers.js";
import { customerQuery } from "../../voucher/customer-schema.js";
import { reasonOf, type Customer } from "../../voucher/customer-segment.js";
import { decide } from "../../voucher/decision.js";
import { nearestCountries } from "../../voucher/nearest-countries.js";
import type { Answers, Cell } from "../../voucher/published-answers.js";
import { boundsOf } from "../../voucher/segment-rules.js";
import { checked, Problem } from "../http/problems.js";
import { originOf } from "../http/proxy.js";
import type { Services } from "../http/services.js";
import { answerOptions } from "../v1/answer-schema.js";
import { completeCustomer } from "../v1/complete-customer.js";
import { answerAddress, PAGES } from "./addresses.js";
import { FIELDS, Form, type Filled } from "./customer-form.js";
import type { PageRoute } from "./frame.js";
import { tossUpInWords } from "./grid.js";
import { Name, Notice } from "./parts.js";

const querySchema = customerQuery.extend({ as_of: answerOptions.as_of });

/** A form that asks for one customer, with the answer and its reason. */
export function customerPage(services: Services): PageRoute {
  return {
    path: PAGES.customer,
    menu: "Ask for a customer",
    open: async (request, { now }) => {
      const filled = filledIn(request);
      const answers = await services.store.newest();
      const asked = Object.keys(filled).length === 0 ? undefined : readAsked(filled, now);
      const faults = asked instanceof Problem ? asked.errors : [];
      return {
        title: "Ask for a customer",
        body: (
          <>
            {asked !== undefined && !(asked instanceof Problem) && (
              <>
                <Answered asked={asked} answers={answers} />
                <Curl request={request} filled={filled} asksForKey={services.keys !== undefined} />
              </>
            )}
            <Faults faults={faults} />
            <Form filled={filled} faults={faults} countries={countriesOf(answers)} />
          </>
        ),
      };
    },
  };
}

/** The fields of the form. An empty one counts as missing. */
function filledIn({ query }: Request): Filled {
  return Object.fromEntries(
    FIELDS.flatMap((name) => {
      const text = query[name];
      return typeof text === "string" && text !== "" ? [[name, text]] : [];
    }),
  );
}

/** The requested customer, or the faults of the fields. */
function readAsked(filled: Filled, now: Date): Asked | Problem {
  try {
    const { as_of, ...given } = checked(querySchema, filled, "");
    const asOf = as_of ?? now;
    return { customer: completeCustomer(given, asOf), asOf };
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function countriesOf(answers: Answers): string[] {
  return [...new Set([...answers.cells()].map(({ countryCode }) => countryCode))];
}

function Faults({ faults }: { readonly faults: readonly FieldError[] }): VNode | null {
  if (faults.length === 0) return null;
  return (
    <Notice kind="bad" isAlert>
      <strong>Some fields are missing or invalid.</strong> Fix the fields marked below.
    </Notice>
  );
}

/** A requested customer. */
interface Asked {
  readonly customer: Customer;
  /** The day that the days since the last order are counted to. */
  readonly asOf: Date;
}

interface AnsweredProps {
  readonly asked: Asked;
  readonly answers: Answers;
}

/** The voucher for a customer, with the reason in one sentence. */
function Answered({ asked, answers }: AnsweredProps): VNode {
  const { customer, asOf } = asked;
  const { segment, voucherAmount, cell, noneBecause } = decide(answers, customer, {
    asOf,
    fallback: "none",
    minAssignments: 1,
  });
  const place = { countryCode: customer.country_code, kind: customer.segment_name, segment };
  return (
    <section class="answer" aria-labelledby="answer-heading">
      <h2 id="answer-heading">
        {voucherAmount === null
          ? "There is no answer"
          : cell?.certainty?.word === "toss-up"
            ? `${counted(voucherAmount)}, but this is a toss-up`
            : `Send ${counted(voucherAmount)}`}
      </h2>
      <p>
        <Why asked={asked} answers={answers} segment={segment} />,{" "}
        {noneBecause === "unknown_country" ? (
          <UnknownCountry asked={asked} answers={answers} />
        ) : cell === undefined ? (
          "and the data has no voucher for them."
        ) : (
          <>
            where this amount is used most: on {counted(cell.assignments)} of{" "}
            {counting(cell.segmentAssignments, "voucher")} (
            {percent(cell.assignments / cell.segmentAssignments)}
            ).
          </>
        )}
      </p>
      {cell !== undefined && (
        <p>
          <CertaintyInWords cell={cell} />
          <OfCountry cell={cell} answers={answers} countryCode={customer.country_code} />
          <a href={answerAddress(place, answers.publication)}>See the basis of this answer</a>
        </p>
      )}
    </section>
  );
}

/** `and the data has no voucher of this country. Did you mean Peru?` */
function UnknownCountry({ asked: { customer }, answers }: AnsweredProps): VNode {
  const near = nearestCountries(answers, customer.country_code);
  return (
    <>
      and the data has no voucher of this country.
      {near.length > 0 && " Did you mean "}
      {near.map((name, index) => (
        <>
          {index === 0 ? "" : " or "}
          <Name>{name}</Name>
        </>
      ))}
      {near.length > 0 && "?"}
    </>
  );
}

/** The alternative to a toss-up: the amount that the whole country uses most. */
function OfCountry({
  cell,
  answers,
  countryCode,
}: {
  readonly cell: Cell;
  readonly answers: Answers;
  readonly countryCode: string;
}): VNode | null {
  const country = answers.country(countryCode);
  if (cell.certainty?.word !== "toss-up" || country === undefined) return null;
  return (
    <>
      Do not stake a campaign on it. The whole country uses <strong>{counted(country.voucherAmount)}</strong>{" "}
      most, on {counted(country.assignments)} of {counting(country.countryAssignments, "voucher")}.{" "}
    </>
  );
}

/** `This answer is a toss-up, on 6 vouchers: the chance that the same amount would win again is 51.2%.` */
function CertaintyInWords({
  cell: { certainty, segmentAssignments },
}: {
  readonly cell: Cell;
}): VNode | null {
  if (certainty === undefined) return null;
  const { word, chance } = certainty;
  return (
    <>
      This answer is <strong>{word === "toss-up" ? `a ${tossUpInWords(segmentAssignments)}` : word}</strong>:
      the chance that the same amount would win again is {chanceInWords(chance)}.{" "}
    </>
  );
}

function Why({
  asked: { customer, asOf },
  answers: { segments },
  segment,
}: AnsweredProps & { readonly segment: string }): VNode {
  const { measured } = reasonOf(segments, customer, asOf);
  const bounds = boundsOf(segments, customer.segment_name, segment);
  return (
    <>
      A customer in <Name>{customer.country_code}</Name>{" "}
      {customer.segment_name === "frequent_segment"
        ? `with ${counting(measured, "order")}`
        : `who last ordered ${counting(measured, "day")} before ${dayInWords(asOf)}`}{" "}
      is in the segment <strong>{segment}</strong> ({bounds})
    </>
  );
}

/** The same request for a program. */
function Curl({
  request,
  filled,
  asksForKey,
}: {
  readonly request: Request;
  readonly filled: Filled;
  readonly asksForKey: boolean;
}): VNode {
  const key = asksForKey ? ` --header "Authorization: Bearer $VOUCHER_KEY"` : "";
  // The query has no quote and no other special character of a shell: all of them are escaped.
  const query = new URLSearchParams({ ...filled, explain: "true" }).toString();
  return (
    <section>
      <h2>The same request from a program</h2>
      <pre>
        <code>{`curl '${originOf(request)}/v1/vouchers/most-used?${query}'${key}`}</code>
      </pre>
    </section>
  );
}
