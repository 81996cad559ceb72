import type { Logger } from "pino";
import type { SpanSender } from "../../base/otlp.js";
import type { KeyedPart, TrustedProxies } from "../../settings/settings.js";
import type { AnswerStore } from "./answer-store.js";
import type { KeyRing } from "./key-ring.js";
import type { RequestMetrics } from "./observing.js";
import type { UnderWay } from "./shut-down.js";

/** The services for the routes. */
export interface Services {
  readonly store: AnswerStore;
  /** The time of a request. */
  readonly now: () => Date;
  /** How long the database may be silent until the service is not ready. */
  readonly staleSeconds: number;
  /** The age in hours after which the pages call the newest publication old, counted from its execution date. */
  readonly oldAfterHours: number;
  readonly log: Logger;
  readonly metrics: RequestMetrics;
  readonly underWay: UnderWay;
  /** Receives a span of every request; undefined if none are exported. */
  readonly spans?: SpanSender | undefined;
  /** Undefined if no key is required. */
  readonly keys: KeyRing | undefined;
  readonly keysFor: KeyedPart;
  /** The proxies whose headers count. */
  readonly trustProxy: TrustedProxies;
  /** The origins whose pages may read answers. */
  readonly corsOrigins: readonly string[] | "*";
}
