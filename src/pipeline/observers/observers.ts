import type { RunObserver } from "./observer.js";
import { openLineage } from "./openlineage/openlineage.js";
import { runReportObserver } from "./run-report.js";

/** Those who are told of runs. */
export const observers: readonly RunObserver[] = [openLineage, runReportObserver];
