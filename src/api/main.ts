import { createServer } from "node:http";
import path from "node:path";
import { pino } from "pino";
import type { Consumption } from "../consumption/consumption.js";
import { openConsumptionForReading } from "../consumption/open.js";
import { messageOf, PipelineError } from "../errors.js";
import { readSettings, type Settings } from "../settings.js";
import { readSegments } from "../voucher/segments.js";
import { createApp } from "./app.js";
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
  const database = lazyDatabase(settings.consumptionUrl);
  const vouchers = createVoucherService(database.open, segments, () => new Date());
  const server = createServer(createApp(vouchers, log));

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
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      server.close(() => void database.close());
      server.closeIdleConnections();
    });
  }
}

/** The database of the answers, opened at the first request after a run has made it. */
function lazyDatabase(url: string) {
  let opened: Consumption | undefined;
  return {
    open: async () => (opened ??= await openConsumptionForReading(url)),
    close: async () => opened?.close(),
  };
}
