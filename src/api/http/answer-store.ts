import { LRUCache } from "lru-cache";
import type { Logger } from "pino";
import { PipelineError } from "../../base/errors.js";
import type { Consumption } from "../../consumption/consumption.js";
import { openConsumptionForReading } from "../../consumption/open-consumption.js";
import { readAnswersOf } from "../../consumption/read-answers.js";
import {
  hasPublications,
  readNewestPublication,
  readPublication,
  readPublications,
} from "../../consumption/read-publications.js";
import { PublicationReplaced } from "../../consumption/table-pages.js";
import type { ExecutionDate } from "../../voucher/execution-date.js";
import { identityOf, isSamePublication, type Publication } from "../../voucher/publication-identity.js";
import type { Answers } from "../../voucher/published-answers.js";
import { noPublication, Problem } from "./problems.js";

/** A client does not wait for a silent server, nor in a line that does not move. */
const ANSWER_MILLISECONDS = 4_000;
/** A publication that other runs replace during every read is left for the next refresh. */
const ATTEMPTS = 5;
/** The maximum number of earlier publications in memory. */
const EARLIER_HELD = 8;

/** The state of the answers, for monitoring. */
interface AnswersStatus {
  /** The served publication; undefined if nothing is published, or if the database has never responded. */
  readonly publication: Publication | undefined;
  /** The last time when the database confirmed the newest publication. */
  readonly confirmedAt: Date | undefined;
  /** The number of failed queries since the service began. */
  readonly failures: number;
  /** Whether the last query failed. */
  readonly isAway: boolean;
}

/**
 * The answers of the newest publication. They are held in memory, and swapped as a whole. A regular query of the
 * database finds a newer publication. If the database is away, the last answers stay available.
 */
export class AnswerStore {
  readonly #database: AnswerDatabase;
  readonly #sqlDirectory: string;
  readonly #log: Logger;
  readonly #earlier = new LRUCache<string, Promise<Answers>>({ max: EARLIER_HELD });
  #newest: Answers | undefined;
  #confirmedAt: Date | undefined;
  #failures = 0;
  #isAway = false;
  /** Shared by all callers at the same time. */
  #refreshing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param sqlDirectory has the segments of publications that are older than the record of their SQL. */
  constructor(database: AnswerDatabase, sqlDirectory: string, log: Logger) {
    this.#database = database;
    this.#sqlDirectory = sqlDirectory;
    this.#log = log;
  }

  get status(): AnswersStatus {
    return {
      publication: this.#newest?.publication,
      confirmedAt: this.#confirmedAt,
      failures: this.#failures,
      isAway: this.#isAway,
    };
  }

  /** Checks for a newer publication now, and then at regular intervals. */
  watch(intervalMilliseconds: number): void {
    const look = async () => {
      // The log and the status have the failure.
      await this.refresh().catch(() => undefined);
      this.#timer = setTimeout(() => void look(), intervalMilliseconds).unref();
    };
    void look();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#database.close();
  }

  /**
   * The answers of the newest publication.
   * @throws Problem no-publication, or database-unavailable if the database has never responded.
   */
  async newest(): Promise<Answers> {
    if (this.#newest === undefined) await withinLimit(ANSWER_MILLISECONDS, this.refresh());
    if (this.#newest !== undefined) return this.#newest;
    throw noPublication();
  }

  /**
   * The answers of the publication of an execution date.
   * @param executionDate undefined for the newest one.
   * @throws Problem unknown-publication, or database-unavailable.
   */
  async of(executionDate: ExecutionDate | undefined): Promise<Answers> {
    const newest = this.#newest?.publication.executionDate.partitionKey;
    if (executionDate === undefined || executionDate.partitionKey === newest) return this.newest();
    return this.ask(async (database) => {
      const publication = await readPublication(database, executionDate.partitionKey);
      if (publication === undefined) throw unknownPublication(executionDate);
      return this.#held(database, publication);
    });
  }

  /**
   * The answers of the publication before an execution date; undefined if there is none.
   * @throws Problem no-publication, or database-unavailable.
   */
  async before({ partitionKey }: ExecutionDate): Promise<Answers | undefined> {
    const [earlier] = await this.ask((database) =>
      readPublications(database, { before: partitionKey, limit: 1 }),
    );
    return earlier && this.of(earlier.executionDate);
  }

  /**
   * Queries the database itself, for data that is not in memory.
   * @throws Problem no-publication if there is no database yet, database-unavailable if it does not respond in time.
   */
  ask<Answer>(question: (database: Consumption) => Promise<Answer>): Promise<Answer> {
    const answer = async () => {
      const database = await this.#database.open();
      if (database !== undefined) return question(database);
      throw noPublication();
    };
    return withinLimit(ANSWER_MILLISECONDS, answer());
  }

  /**
   * Checks for a newer publication, and loads it.
   * @throws the fault that keeps the database from responding.
   */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#look().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #look(): Promise<void> {
    try {
      const database = await this.#database.open();
      if (database === undefined && this.#newest !== undefined) throw databaseGone();
      this.#newest = database && (await this.#readNewest(database));
      this.#confirmedAt = new Date();
      if (this.#isAway) this.#log.info("the database of the answers is back");
      this.#isAway = false;
    } catch (error) {
      this.#failures += 1;
      // Logged once, not at every check.
      if (!this.#isAway || !(error instanceof PipelineError))
        this.#log.warn(error, "the database of the answers cannot be read");
      this.#isAway = true;
      throw error;
    }
  }

  async #readNewest(database: Consumption): Promise<Answers | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      const publication = await readNewestPublication(database);
      const held = this.#newest;
      if (publication === undefined) {
        if (held !== undefined && !(await hasPublications(database))) throw databaseGone();
        return undefined;
      }
      if (held !== undefined && isSamePublication(held.publication, publication)) return held;
      try {
        const answers = await this.#read(database, publication);
        const { executionDate, runId } = publication;
        this.#log.info({ executionDate: executionDate.iso, runId }, "a publication is loaded");
        return answers;
      } catch (error) {
        if (!(error instanceof PublicationReplaced) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  #held(database: Consumption, publication: Publication): Promise<Answers> {
    const identity = identityOf(publication);
    const held = this.#earlier.get(identity);
    if (held !== undefined) return held;
    const reading = this.#read(database, publication);
    this.#earlier.set(identity, reading);
    reading.catch(() => this.#earlier.delete(identity));
    return reading;
  }

  #read(database: Consumption, publication: Publication): Promise<Answers> {
    const warn = (message: string) => {
      this.#log.warn(message);
    };
    return readAnswersOf(database, publication, { sqlDirectory: this.#sqlDirectory, warn });
  }
}

/** The service keeps its answers: only a withdrawal removes a publication, not the loss of a file or of its tables. */
function databaseGone(): PipelineError {
  return new PipelineError("CONSUMPTION_UNAVAILABLE", "the consumption database no longer exists");
}

function unknownPublication({ iso }: ExecutionDate): Problem {
  return new Problem("unknown-publication", `The execution date ${iso} is not published.`, [
    { field: "execution_date", message: "must be published; GET /v1/publications lists the published dates" },
  ]);
}

/**
 * Waits for a response of the database, but no longer than a client would.
 * @throws Problem database-unavailable
 */
async function withinLimit<Answer>(milliseconds: number, answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new Problem(
          "database-unavailable",
          "The database of the answers does not respond in time. Try again later.",
        ),
      );
    }, milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long requests may still use a database that was replaced. */
const FAREWELL_MILLISECONDS = 1_000;

/** The database of the answers. It may appear after the service starts, and may be replaced during its life. */
export class AnswerDatabase {
  readonly #url: string;
  /** Shared by all requests at the same time. */
  #opening: Promise<Consumption | undefined> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** The open database; undefined if no run has created it yet. */
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

  /** Makes the next request open the database again. False if another request has already done so. */
  #forget(opening: Promise<Consumption | undefined>): boolean {
    if (this.#opening !== opening) return false;
    this.#opening = undefined;
    return true;
  }
}
