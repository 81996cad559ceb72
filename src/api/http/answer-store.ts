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

/** Who asks does not wait for a server that is silent, nor in a line that does not move. */
const ANSWER_MILLISECONDS = 4_000;
/** A publication that is made anew again and again while it is read is left for the next look. */
const ATTEMPTS = 5;
/** Publications of earlier dates that are held for those who ask for them. */
const EARLIER_HELD = 8;

/** What is known of the answers, for those who watch over the service. */
interface AnswersStatus {
  /** The publication that answers; undefined where nothing is published, or the database has never answered. */
  readonly publication: Publication | undefined;
  /** When the database last said which publication is the newest one. */
  readonly confirmedAt: Date | undefined;
  /** How often it could not be asked, since the service began. */
  readonly failures: number;
  /** Whether it could not be asked at the last look. */
  readonly isAway: boolean;
}

/**
 * The answers of the newest publication, held in memory and swapped whole. A look at the database, again and again, tells
 * whether there is a newer one; where the database is away, the last answers go on answering.
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
  /** Shared by all who ask at the same time. */
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

  /** Looks for a newer publication now, and from now on again and again. */
  watch(intervalMilliseconds: number): void {
    const look = async () => {
      // What went wrong is in the log, and in the status.
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
   * @throws Problem no-publication, or database-unavailable where the database has never answered.
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
   * The answers of the publication before an execution date; undefined where there is none.
   * @throws Problem no-publication, or database-unavailable.
   */
  async before({ partitionKey }: ExecutionDate): Promise<Answers | undefined> {
    const [earlier] = await this.ask((database) =>
      readPublications(database, { before: partitionKey, limit: 1 }),
    );
    return earlier && this.of(earlier.executionDate);
  }

  /**
   * Asks the database itself, for what is not held.
   * @throws Problem no-publication where there is no database yet, database-unavailable where no answer comes in time.
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
   * Looks for a newer publication, and holds it.
   * @throws what keeps the database from answering.
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
      // Once, not at every look.
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

/** The service keeps its answers: only a withdrawal takes a publication back, not the loss of a file or of its tables. */
function databaseGone(): PipelineError {
  return new PipelineError("CONSUMPTION_UNAVAILABLE", "the consumption database no longer exists");
}

function unknownPublication({ iso }: ExecutionDate): Problem {
  return new Problem("unknown-publication", `The execution date ${iso} is not published.`, [
    { field: "execution_date", message: "must be published; GET /v1/publications lists the published dates" },
  ]);
}

/**
 * Waits for an answer of the database no longer than whoever has asked would.
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
