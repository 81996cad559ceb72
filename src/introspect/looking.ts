import { allEnded } from "../base/concurrency.js";
import type { Consumption } from "../consumption/consumption.js";
import { openConsumptionForReading, openConsumptionUntouched } from "../consumption/open-consumption.js";
import { makeTempDirectory } from "../engine/duckdb/temp-directory.js";
import { loadSqlVersion, type SqlVersion } from "../models/load.js";
import type { Settings } from "../settings/settings.js";
import { openZones, type Zones } from "../zones/open-zones.js";

/** Opens the parts of the settings for a read-only command, each at its first use. */
class Looking {
  readonly #settings: Settings;
  readonly #signal: AbortSignal | undefined;
  readonly #closing: (() => void | Promise<void>)[] = [];

  constructor(settings: Settings, signal: AbortSignal | undefined) {
    this.#settings = settings;
    this.#signal = signal;
  }

  /** The SQL version. @throws PipelineError INVALID_MODEL. */
  sql(): Promise<SqlVersion> {
    return loadSqlVersion(this.#settings.sqlDirectory, this.#settings.sqlVersion);
  }

  /** The zones. @throws PipelineError for invalid settings. */
  async zones(): Promise<Zones> {
    const zones = await openZones(this.#settings, this.#signal);
    this.#closing.push(() => {
      zones.close();
    });
    return zones;
  }

  /** The database; undefined if no run has created it yet. */
  async database(): Promise<Consumption | undefined> {
    const consumption = await openConsumptionForReading(this.#settings.consumptionUrl);
    if (consumption !== undefined) this.#closing.push(() => consumption.close());
    return consumption;
  }

  /** The database, or an empty one if it does not exist yet. Nothing is written, not even a file. */
  async untouchedDatabase(): Promise<Consumption> {
    const consumption = await openConsumptionUntouched(this.#settings.consumptionUrl);
    this.#closing.push(() => consumption.close());
    return consumption;
  }

  /** The path of a folder of this machine that is removed at the end. */
  async folder(): Promise<string> {
    const folder = await makeTempDirectory(this.#settings.duckdb.tempDirectory);
    this.#closing.push(() => folder.remove());
    return folder.path;
  }

  /** Closes everything that it opened, and then reports failures. */
  async close(): Promise<void> {
    await allEnded(this.#closing.map(async (close) => close()));
  }
}

/** Runs a read-only command, and then closes everything that it opened. */
export async function looking<Result>(
  settings: Settings,
  signal: AbortSignal | undefined,
  look: (opened: Looking) => Promise<Result>,
): Promise<Result> {
  const opened = new Looking(settings, signal);
  try {
    return await look(opened);
  } finally {
    await opened.close();
  }
}
