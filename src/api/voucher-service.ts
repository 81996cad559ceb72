import type { Consumption } from "../consumption/consumption.js";
import { readMostUsedVoucher } from "../consumption/read.js";
import { segmentOfCustomer, type Customer } from "../voucher/customer.js";
import type { Segments } from "../voucher/segments.js";
import { inTime } from "./in-time.js";
import { Problem } from "./problem.js";

/** Who asks does not wait for a server that is silent, nor in a line that does not move. */
const ANSWER_MILLISECONDS = 4_000;

/** Answers which voucher a customer shall get. */
export interface VoucherService {
  /**
   * The most used amount of the customer's segment in the latest publication, in whole currency units; null where no
   * voucher of that country and segment is known.
   * @throws Problem no-publication where nothing is published yet, database-unavailable where no answer comes in time.
   */
  mostUsedFor(customer: Customer): Promise<number | null>;
}

/**
 * @param openDatabase gives the open database, and opens it where it is not: it may appear after the service starts.
 * @param now the moment that recency counts to.
 */
export function createVoucherService(
  openDatabase: () => Promise<Consumption | undefined>,
  segments: Segments,
  now: () => Date,
): VoucherService {
  return {
    mostUsedFor: async (customer) => {
      const segment = segmentOfCustomer(segments, customer, now());
      const lookUp = async () => {
        const database = await openDatabase();
        return (
          database && readMostUsedVoucher(database, customer.segment_name, customer.country_code, segment)
        );
      };
      const answer = await inTime(ANSWER_MILLISECONDS, lookUp());
      if (answer === undefined) {
        throw new Problem(
          "no-publication",
          "No execution date is published yet; run the pipeline, then ask again.",
        );
      }
      return answer.voucherAmount;
    },
  };
}
