/** Publications of one execution date, by when they were to be seen at the earliest and at the latest. */
export class History {
  readonly #entries: { publication: number; from: number; until: number }[] = [];

  get publications(): number {
    return this.#entries.length;
  }

  /** A run that makes a publication begins. Whether it ends well or is killed, it may be seen from now on. */
  begin(publication: number): void {
    this.#entries.push({ publication, from: performance.now(), until: Infinity });
  }

  /** A run has published: what was there before cannot be seen any more. */
  succeed(publication: number): void {
    for (const entry of this.#entries) {
      if (entry.publication !== publication && entry.until === Infinity) entry.until = performance.now();
    }
  }

  /** The publications of which one can be what a reader saw between two moments. */
  between(begun: number, ended: number): number[] {
    return this.#entries
      .filter(({ from, until }) => from <= ended && until >= begun)
      .map(({ publication }) => publication);
  }
}
