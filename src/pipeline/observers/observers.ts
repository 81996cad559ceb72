import type { RunObserver } from "./observer.js";

/** Those who are told of runs. */
export const observers: readonly RunObserver[] = [];
