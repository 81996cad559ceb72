import type { VNode } from "preact";
import { counted, counting, dayInWords, percent } from "../../../base/words.js";
import type { Answers } from "../../../voucher/answers.js";
import type { Customer } from "../../../voucher/customer.js";
import { decide } from "../../../voucher/decision.js";
import { reasonOf } from "../../../voucher/segment-reason.js";
import { boundsOf } from "../../../voucher/segments.js";
import { weaknessesOf } from "../../../voucher/weakness.js";
import { answerAddress } from "../addresses.js";
import { Name } from "../words.js";

/** A customer who was asked for. */
export interface Asked {
  readonly customer: Customer;
  /** The day that the days since the last order are counted to. */
  readonly asOf: Date;
}

interface AnsweredProps {
  readonly asked: Asked;
  readonly answers: Answers;
}

/** The voucher of a customer, and why in one sentence. */
export function Answered({ asked, answers }: AnsweredProps): VNode {
  const { customer, asOf } = asked;
  const { segment, voucherAmount, cell } = decide(answers, customer, {
    asOf,
    fallback: "none",
    minAssignments: 1,
  });
  const place = { countryCode: customer.country_code, kind: customer.segment_name, segment };
  return (
    <section class="answer" aria-labelledby="answer-heading">
      <h2 id="answer-heading">
        {voucherAmount === null ? "There is no answer" : `Send ${counted(voucherAmount)}`}
      </h2>
      <p>
        <Why asked={asked} answers={answers} segment={segment} />,{" "}
        {cell === undefined ? (
          "and no voucher of them is known."
        ) : (
          <>
            and there it was used most: on {counted(cell.assignments)} of{" "}
            {counting(cell.segmentAssignments, "voucher")} (
            {percent(cell.assignments / cell.segmentAssignments)}
            ).
          </>
        )}
      </p>
      {cell !== undefined && (
        <p>
          {weaknessesOf(cell).map((weakness) => (
            <span key={weakness} class="weak">
              {weakness}
            </span>
          ))}{" "}
          <a href={answerAddress(place, answers.publication)}>What it rests on</a>
        </p>
      )}
    </section>
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
      A customer of <Name>{customer.country_code}</Name>{" "}
      {customer.segment_name === "frequent_segment"
        ? `with ${counting(measured, "order")}`
        : `who last ordered ${counting(measured, "day")} before ${dayInWords(asOf)}`}{" "}
      is in the segment <strong>{segment}</strong> ({bounds})
    </>
  );
}
