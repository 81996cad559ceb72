import type { Logger } from "pino";

const STANDARD_ERROR = 2;

/** The log of this process; undefined if it is not enabled. */
let log: Logger | undefined;

/**
 * Logs to standard error from now on, one JSON object per line.
 * @param level the level of the command line; by default that of the settings.
 */
export async function openLog(level: string | undefined): Promise<void> {
  const asked = level ?? (await import("../settings/settings.js")).readLogLevel();
  if (asked === "silent") return;
  // Loaded here, because most commands have no log.
  const { pino } = await import("pino");
  // Each line is written before the next step begins: the last line shows where a killed process was.
  log = pino({ level: asked }, pino.destination({ dest: STANDARD_ERROR, sync: true }));
}

/** The log of this process, if there is one. */
export function openedLog(): Logger | undefined {
  return log;
}
