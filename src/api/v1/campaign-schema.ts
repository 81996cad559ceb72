import * as z from "zod";
import { BASES } from "../../voucher/decision.js";
import { SEGMENT_KINDS } from "../../voucher/segment-rules.js";
import { certaintyFields, noneFields } from "./answer-schema.js";

const count = z.int().min(0);
const totalAmount = count.meta({ description: "The sum of the amounts, in whole currency units" });

/** What is answered to one line of a file of customers. */
export const pricedLineSchema = z
  .object({
    line: z.int().min(1).meta({ description: "The number of the line, without the header and blank lines" }),
    customer_id: z.union([z.string(), z.number()]).nullable(),
    country_code: z.string().nullable(),
    segment_name: z.string().nullable(),
    segment: z.string().nullable().meta({ description: "The customer's segment", example: "13-37" }),
    voucher_amount: z
      .int()
      .nullable()
      .meta({ description: "In whole currency units; null where there is none" }),
    basis: z.enum(BASES).nullable().meta({ description: "What the amount rests on" }),
    error: z
      .string()
      .nullable()
      .meta({ description: "What is wrong with the line; null where it is answered" }),
    ...certaintyFields,
    none_because: noneFields.none_because.nullable(),
    nearest_countries: noneFields.nearest_countries.nullable(),
  })
  .meta({ id: "PricedLine" });

export type PricedLine = z.output<typeof pricedLineSchema>;

const groupSchema = z.object({
  country_code: z.string().nullable().meta({ description: "null: all that the publication does not know" }),
  segment_name: z.enum(SEGMENT_KINDS),
  segment: z.string(),
  customers: count,
  priced: count.meta({ description: "Customers with an amount" }),
  total_amount: totalAmount,
});

/** What a file of customers comes to. */
export const priceSummarySchema = z
  .object({
    lines: count,
    priced: count.meta({ description: "Lines with an amount" }),
    without_amount: count.meta({ description: "Lines of customers for whom there is no amount" }),
    faulty: count.meta({ description: "Lines with an error" }),
    total_amount: totalAmount,
    groups: z.array(groupSchema).optional(),
    groups_omitted: z
      .literal(true)
      .optional()
      .meta({ description: "Where the trailer field has no room for them" }),
  })
  .meta({ id: "PriceSummary" });

export type PriceGroup = z.output<typeof groupSchema>;
export type PriceSummary = z.output<typeof priceSummarySchema>;
