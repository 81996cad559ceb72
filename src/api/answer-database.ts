import type { Consumption } from "../consumption/consumption.js";
import { openConsumptionForReading } from "../consumption/open.js";

/** How long requests may go on asking a database that was replaced. */
const FAREWELL_MILLISECONDS = 1_000;

/** The database of the answers. It may appear after the service starts, and be replaced while it runs. */
export class AnswerDatabase {
  readonly #url: string;
  /** Shared by requests that come at the same time. */
  #opening: Promise<Consumption | undefined> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** The open database, or undefined where no run has made it yet. */
  async open(): Promise<Consumption | undefined> {
    const opening = (this.#opening ??= openConsumptionForReading(this.#url));
    try {
      const opened = await opening;
      if (opened !== undefined && (await opened.isCurrent())) return opened;
      const isReplaced = this.#forget(opening) && opened !== undefined;
      if (isReplaced) setTimeout(() => void opened.close(), FAREWELL_MILLISECONDS).unref();
      return opened === undefined ? undefined : await this.open();
    } catch (error) {
      this.#forget(opening);
      throw error;
    }
  }

  async close(): Promise<void> {
    await (await this.#opening)?.close();
  }

  /** Has the next request open the database anew. False where another request has done so. */
  #forget(opening: Promise<Consumption | undefined>): boolean {
    if (this.#opening !== opening) return false;
    this.#opening = undefined;
    return true;
  }
}
