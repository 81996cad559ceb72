import { createServer } from "node:http";
import path from "node:path";
import { pino } from "pino";
import { messageOf, PipelineError } from "../errors.js";
import { readSettings, type Settings } from "../settings.js";
import { readSegments } from "../voucher/segments.js";
import { AnswerDatabase } from "./answer-database.js";
import { createApp } from "./app.js";
import { answerBrokenRequests } from "./broken-requests.js";
import { shutDownOnSignals } from "./shut-down.js";
import { createVoucherService } from "./voucher-service.js";

const log = pino();

try {
  await serve(readSettings());
} catch (error) {
  if (!(error instanceof PipelineError)) throw error;
  log.fatal(`${error.code}: ${error.message}`);
  process.exitCode = 2;
}

/** Serves until a signal ends the process, and then finishes the requests that are under way. */
async function serve(settings: Settings): Promise<void> {
  const segments = await readSegments(path.join(settings.sqlDirectory, settings.sqlVersion));
  const database = new AnswerDatabase(settings.consumptionUrl);
  const vouchers = createVoucherService(
    () => database.open(),
    segments,
    () => new Date(),
  );
  const server = createServer(createApp(vouchers, log));
  answerBrokenRequests(server);

  server.on("error", (error) => {
    log.fatal(
      `cannot listen on ${settings.host}:${settings.port.toString()}: ${messageOf(error)}; check HOST and PORT`,
    );
    process.exitCode = 2;
  });
  server.listen(settings.port, settings.host, () => {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : settings.port;
    log.info(`listening on http://${settings.host}:${port.toString()}`);
  });
  shutDownOnSignals(server, () => database.close());
}
