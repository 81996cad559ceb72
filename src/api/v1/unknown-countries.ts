import { nearestCountries } from "../../voucher/nearest-countries.js";
import type { Answers } from "../../voucher/published-answers.js";

/** A search in 50,000 countries takes milliseconds: a file of names that do not exist must not keep the service busy. */
export const NAMES_EXPLAINED = 100;

/** The names nearest to the unknown countries of one request. */
export class UnknownCountries {
  readonly #answers: Answers;
  readonly #nearest = new Map<string, readonly string[]>();

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  /** The nearest names, the nearest first; none from the 101st unknown country of the request on. */
  nearest(countryCode: string): readonly string[] {
    const known = this.#nearest.get(countryCode);
    if (known !== undefined) return known;
    if (this.#nearest.size >= NAMES_EXPLAINED) return [];
    const nearest = nearestCountries(this.#answers, countryCode);
    this.#nearest.set(countryCode, nearest);
    return nearest;
  }
}
