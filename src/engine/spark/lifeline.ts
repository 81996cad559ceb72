/** Ends every wait for a server's answers when the connection is lost: hive-driver would go on waiting. */
export class Lifeline {
  readonly #lost: Promise<never>;
  #reject: (error: Error) => void = () => undefined;

  constructor() {
    this.#lost = new Promise((_, reject) => {
      this.#reject = reject;
    });
    // It is told to whoever waits.
    this.#lost.catch(() => undefined);
  }

  /** Ends every wait, now and from now on, with this error or an earlier one. */
  cut(error: Error): void {
    this.#reject(error);
  }

  /** An answer, unless the line is cut, or the server silent for so long. */
  async wait<Answer>(answer: Promise<Answer>, milliseconds: number): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer in ${milliseconds / 1_000} s`));
      }, milliseconds);
    });
    try {
      return await Promise.race([answer, this.#lost, silence]);
    } finally {
      clearTimeout(timer);
    }
  }
}
