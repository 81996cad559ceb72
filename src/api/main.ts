import { pino } from "pino";
import { messageOf, PipelineError } from "../base/errors.js";
import { endWith, EXIT_CODES, exitCodeOf } from "../base/exit-codes.js";
import { machineFault } from "../base/machine-faults.js";
import type { SpanSender } from "../base/otlp.js";
import { readSettings, type Settings } from "../settings/settings.js";
import { AnswerDatabase, AnswerStore } from "./http/answer-store.js";
import { KeyRing } from "./http/key-ring.js";
import { RequestMetrics } from "./http/observing.js";
import { createApiServer } from "./http/server.js";
import { shutDownOnSignals, UnderWay } from "./http/shut-down.js";

// During the write of one line, new ones are collected: no request waits for the log.
const log = pino(pino.destination({ sync: false }));

try {
  await serve(readSettings());
} catch (thrown) {
  const error = machineFault(thrown) ?? thrown;
  if (!(error instanceof PipelineError)) throw error;
  log.fatal(`${error.code}: ${error.message}`);
  endWith(error.kind === "cancelled" ? EXIT_CODES.bug : exitCodeOf(error.kind));
}

/** Serves until a signal ends the process, and then finishes current requests. */
async function serve(settings: Settings): Promise<void> {
  const { refreshSeconds, shutdownSeconds, keysFile, ...api } = settings.api;
  const store = new AnswerStore(new AnswerDatabase(settings.consumptionUrl), settings.sqlDirectory, log);
  const keys = keysFile === undefined ? undefined : await KeyRing.open(keysFile, log);
  const underWay = new UnderWay();
  const metrics = new RequestMetrics();
  const spans = await spanSenderOf(settings);
  const server = createApiServer({
    ...api,
    store,
    now: () => new Date(),
    log,
    metrics,
    underWay,
    keys,
    spans,
  });
  store.watch(refreshSeconds * 1_000);

  server.on("error", (error) => {
    log.fatal(
      `cannot listen on ${settings.host}:${settings.port.toString()}: ${messageOf(error)}; check HOST and PORT`,
    );
    endWith(EXIT_CODES.usage);
  });
  server.listen(settings.port, settings.host, () => {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : settings.port;
    log.info(`listening on http://${settings.host}:${port.toString()}`);
  });
  shutDownOnSignals(server, underWay, shutdownSeconds, async () => {
    await Promise.all([store.close(), spans?.close()]);
  });
}

async function spanSenderOf({ traces: { endpoint } }: Settings): Promise<SpanSender | undefined> {
  if (endpoint === undefined) return undefined;
  const { openSpanSender } = await import("../base/otlp.js");
  return openSpanSender("voucher-pipeline-api", (message) => {
    log.warn(message);
  });
}
