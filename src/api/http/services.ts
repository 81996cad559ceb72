import type { Logger } from "pino";
import type { SpanSender } from "../../base/otlp.js";
import type { KeyedPart, TrustedProxies } from "../../settings/settings.js";
import type { AnswerStore } from "./answer-store.js";
import type { KeyRing } from "./key-ring.js";
import type { RequestMetrics } from "./observing.js";
import type { UnderWay } from "./shut-down.js";

/** What the routes need. */
export interface Services {
  readonly store: AnswerStore;
  /** The moment at which a request is answered. */
  readonly now: () => Date;
  /** How long the database may be silent until the service says that it is not ready. */
  readonly staleSeconds: number;
  /** How many hours after its execution date the pages call the newest publication old. */
  readonly oldAfterHours: number;
  readonly log: Logger;
  readonly metrics: RequestMetrics;
  readonly underWay: UnderWay;
  /** Takes a span of every request; undefined if none are exported. */
  readonly spans?: SpanSender | undefined;
  /** Undefined where everybody may ask. */
  readonly keys: KeyRing | undefined;
  readonly keysFor: KeyedPart;
  /** The proxies that may say what the client asked for. */
  readonly trustProxy: TrustedProxies;
  /** The origins whose pages may read answers. */
  readonly corsOrigins: readonly string[] | "*";
}
