import type { Logger } from "pino";

const STANDARD_ERROR = 2;

/** The log of this process; undefined where nobody has asked for one. */
let log: Logger | undefined;

/**
 * Has the process log to standard error, a JSON object a line.
 * @param level what is asked for on the command line; that of the settings if nothing is.
 */
export async function openLog(level: string | undefined): Promise<void> {
  const asked = level ?? (await import("../settings/settings.js")).readLogLevel();
  if (asked === "silent") return;
  // Loaded here, because most commands have none.
  const { pino } = await import("pino");
  // Each line is out before the next step begins: what was logged last tells where a process was that has died.
  log = pino({ level: asked }, pino.destination({ dest: STANDARD_ERROR, sync: true }));
}

/** The log of this process, where there is one. */
export function openedLog(): Logger | undefined {
  return log;
}
