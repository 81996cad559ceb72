import { logged } from "./log.js";
import { metrics } from "./metrics/metrics.js";
import { notify } from "./notify/notify.js";
import type { RunObserver } from "./observer.js";
import { openLineage } from "./openlineage/openlineage.js";
import { runReport } from "./run-report.js";

/** Those who are told of runs. */
export const observers: readonly RunObserver[] = [logged, openLineage, runReport, notify, metrics];
