import type { Server } from "node:http";
import { afterAll } from "@jest/globals";
import { pino } from "pino";
import { AnswerDatabase, AnswerStore } from "../../src/api/http/answer-store.js";
import { KeyRing } from "../../src/api/http/key-ring.js";
import { RequestMetrics } from "../../src/api/http/observing.js";
import { createApiServer, type Patience } from "../../src/api/http/server.js";
import type { Services } from "../../src/api/http/services.js";
import { UnderWay } from "../../src/api/http/shut-down.js";
import type { Settings } from "../../src/settings/settings.js";

/** The day of the tests' publications. */
export const NOW = new Date("2020-05-29T12:00:00Z");

const opened: { server: Server; store: AnswerStore; keys: KeyRing | undefined }[] = [];

afterAll(async () => {
  for (const { server, store, keys } of opened) {
    server.closeAllConnections();
    server.close();
    keys?.close();
    await store.close();
  }
});

/** An api within the test's own process. */
export interface ServedApi {
  readonly url: string;
  readonly port: number;
  readonly store: AnswerStore;
  readonly server: Server;
  readonly underWay: UnderWay;
  /** What its routes have. */
  readonly services: Services;
  /** The lines of its log. */
  readonly log: () => Record<string, unknown>[];
}

/** The api over the consumption database of a workspace, asked at a fixed moment. It looks for what is new when told to. */
export async function serve(
  settings: Settings,
  now: () => Date = () => NOW,
  patience?: Patience,
): Promise<ServedApi> {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => lines.push(line) });
  const store = new AnswerStore(new AnswerDatabase(settings.consumptionUrl), settings.sqlDirectory, log);
  const { keysFile, ...api } = settings.api;
  const keys = keysFile === undefined ? undefined : await KeyRing.open(keysFile, log);
  const underWay = new UnderWay();
  const services = { ...api, store, now, log, metrics: new RequestMetrics(), underWay, keys };
  const server = createApiServer(services, patience);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  opened.push({ server, store, keys });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    store,
    server,
    underWay,
    services,
    log: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}
