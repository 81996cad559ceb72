import type { Request } from "express";
import type { VNode } from "preact";
import type { Answers } from "../../../voucher/answers.js";
import { checked } from "../../http/problems.js";
import { type FieldError, Problem } from "../../http/problems.js";
import type { Services } from "../../http/services.js";
import { answerOptions } from "../../v1/answer-schema.js";
import { completeCustomer, customerQuery } from "../../v1/customer-schema.js";
import { PAGES } from "../addresses.js";
import { Notice } from "../notice.js";
import type { PageRoute } from "../page.js";
import { Answered, type Asked } from "./answered.js";
import { Curl } from "./curl.js";
import { FIELDS, type Filled, Form } from "./form.js";

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

/** What stands in the fields of the form: a field that is left empty is as one that is not there. */
function filledIn({ query }: Request): Filled {
  return Object.fromEntries(
    FIELDS.flatMap((name) => {
      const text = query[name];
      return typeof text === "string" && text !== "" ? [[name, text]] : [];
    }),
  );
}

/** The customer that is asked for, or what is wrong with what was filled in. */
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
      <strong>There is no answer yet.</strong> Mend the fields that are marked, and ask again.
    </Notice>
  );
}
