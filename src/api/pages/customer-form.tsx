import type { ComponentChildren, VNode } from "preact";
import type { FieldError } from "../../base/field-errors.js";
import { SEGMENT_KINDS } from "../../voucher/segment-rules.js";
import { PAGES } from "./addresses.js";
import { KIND_NAMES } from "./parts.js";

/** The fields, by the names of the api's parameters. */
export const FIELDS = ["country_code", "segment_name", "total_orders", "last_order_ts", "as_of"] as const;
export type FieldName = (typeof FIELDS)[number];

/** The fields that have a value. */
export type Filled = Readonly<Partial<Record<FieldName, string>>>;

const COUNTRIES_OFFERED = 500;

interface FormProps {
  readonly filled: Filled;
  /** Its faults, by field. */
  readonly faults: readonly FieldError[];
  /** The countries with an answer, as suggestions. */
  readonly countries: readonly string[];
}

/** The form for a customer. */
export function Form({ filled, faults, countries }: FormProps): VNode {
  const of = (name: FieldName) => ({
    id: name,
    name,
    "aria-invalid": faults.some(({ field }) => field === name) ? ("true" as const) : undefined,
    "aria-describedby": `${name}-note`,
  });
  const note = (name: FieldName, text: string) => (
    <Note name={name} text={text} fault={faults.find(({ field }) => field === name)?.message} />
  );
  return (
    <form method="get" action={PAGES.customer} class="asking" noValidate={faults.length > 0}>
      <Field name="country_code" label="Country">
        <input
          {...of("country_code")}
          list="countries"
          required
          value={filled.country_code}
          autoComplete="off"
        />
        <datalist id="countries">
          {countries.slice(0, COUNTRIES_OFFERED).map((country) => (
            <option key={country} value={country} />
          ))}
        </datalist>
        {note("country_code", "Spelled as in the data")}
      </Field>
      <Field name="segment_name" label="Segment">
        <select {...of("segment_name")}>
          {SEGMENT_KINDS.map((kind) => (
            <option key={kind} value={kind} selected={filled.segment_name === kind}>
              {KIND_NAMES[kind]}
            </option>
          ))}
        </select>
        {note("segment_name", "Kind of segment")}
      </Field>
      <Field name="total_orders" label="Orders">
        <input {...of("total_orders")} inputMode="numeric" pattern="[0-9]*" value={filled.total_orders} />
        {note("total_orders", "Number of orders; required for segments by number of orders")}
      </Field>
      <Field name="last_order_ts" label="Last order">
        <input {...of("last_order_ts")} type="date" value={filled.last_order_ts} />
        {note("last_order_ts", "Date of the last order; required for segments by days since the last order")}
      </Field>
      <Field name="as_of" label="As of">
        <input {...of("as_of")} type="date" value={filled.as_of} />
        {note("as_of", "Count the days up to this date; today by default")}
      </Field>
      <button type="submit">Ask</button>
    </form>
  );
}

function Field({
  name,
  label,
  children,
}: {
  readonly name: FieldName;
  readonly label: string;
  readonly children: ComponentChildren;
}): VNode {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {children}
    </div>
  );
}

/** The API uses the names of its parameters; people know the labels. */
function inWords(fault: string): string {
  return SEGMENT_KINDS.reduce(
    (text, kind) => text.replaceAll(kind, `a segment ${KIND_NAMES[kind].toLowerCase()}`),
    fault,
  ).replaceAll("as_of", "“As of”");
}

function Note({
  name,
  text,
  fault,
}: {
  readonly name: FieldName;
  readonly text: string;
  readonly fault: string | undefined;
}): VNode {
  return (
    <small id={`${name}-note`} class={fault === undefined ? undefined : "fault"}>
      {fault === undefined ? text : inWords(fault)}
    </small>
  );
}
