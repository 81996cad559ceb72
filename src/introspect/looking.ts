import { allEnded } from "../base/concurrency.js";
import type { Consumption } from "../consumption/consumption.js";
import { openConsumptionForReading, openConsumptionUntouched } from "../consumption/open-consumption.js";
import { makeTempDirectory } from "../engine/duckdb/temp-directory.js";
import { loadSqlVersion, type SqlVersion } from "../models/load.js";
import type { Settings } from "../settings/settings.js";
import { openZones, type Zones } from "../zones/open-zones.js";

/** Opens what the settings name for a command that only looks: each part when it is asked for. */
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

  /** The zones. @throws PipelineError for settings that name none. */
  async zones(): Promise<Zones> {
    const zones = await openZones(this.#settings, this.#signal);
    this.#closing.push(() => {
      zones.close();
    });
    return zones;
  }

  /** The database; undefined if no run has made it yet. */
  async database(): Promise<Consumption | undefined> {
    const consumption = await openConsumptionForReading(this.#settings.consumptionUrl);
    if (consumption !== undefined) this.#closing.push(() => consumption.close());
    return consumption;
  }

  /** The database as it is, or as it would be made: nothing is written, not even a file. */
  async untouchedDatabase(): Promise<Consumption> {
    const consumption = await openConsumptionUntouched(this.#settings.consumptionUrl);
    this.#closing.push(() => consumption.close());
    return consumption;
  }

  /** The path of a folder of this machine that goes when all is closed. */
  async folder(): Promise<string> {
    const folder = await makeTempDirectory(this.#settings.duckdb.tempDirectory);
    this.#closing.push(() => folder.remove());
    return folder.path;
  }

  /** Closes all that was opened, and then tells what went wrong there. */
  async close(): Promise<void> {
    await allEnded(this.#closing.map(async (close) => close()));
  }
}

/** Looks at what the settings name, and closes what was opened for it. */
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
