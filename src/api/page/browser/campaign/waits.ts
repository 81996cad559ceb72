import type { Wait } from "./ask.js";

/** Why nothing is asked for a while, in words. */
export const WAITS: Readonly<Record<Wait["reason"], string>> = {
  limit: "Your key may not ask more often now.",
  away: "The service does not answer.",
};
