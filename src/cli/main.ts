#!/usr/bin/env node
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { messageOf, PipelineError } from "../errors.js";
import { STAGES } from "../pipeline/report.js";
import { cancelOnSignals } from "./cancel.js";
import { dictionaryCommand } from "./dictionary.js";
import { EXIT_CODES, exitCodeOf } from "./exit-codes.js";
import { printError } from "./output.js";
import { stageCommand } from "./run.js";
import { sampleCommand } from "./sample.js";
import { versionText } from "./version.js";

const cancellation = cancelOnSignals();

const cli = yargs(hideBin(process.argv))
  .scriptName("pipeline")
  .usage("$0 [command] [options]\n\nFinds the most used voucher of each country and customer segment.")
  .command(
    stageCommand(["run", "$0"], "Curate, aggregate and publish one execution date", STAGES, cancellation),
  )
  .command(stageCommand("curate", "Clean and type the raw vouchers", ["curate"], cancellation))
  .command(stageCommand("aggregate", "Aggregate the curated vouchers", ["aggregate"], cancellation))
  .command(stageCommand("publish", "Publish the aggregates", ["publish"], cancellation))
  .command(sampleCommand(cancellation))
  .command(dictionaryCommand)
  .strict()
  .help()
  .alias("help", "h")
  .version(versionText())
  .wrap(Math.min(110, process.stdout.columns || 110))
  .epilog("Settings are environment variables, see .env.example. Exit codes and errors: docs/errors.md.")
  .exitProcess(false)
  .fail((message, error: Error | undefined) => {
    // Without an error it is yargs itself that does not understand the command line.
    throw error ?? new PipelineError("INVALID_USAGE", `${message}; see pipeline --help`);
  });

try {
  await cli.parseAsync();
} catch (error) {
  process.exitCode = fail(error);
}

/** Tells what went wrong and gives the exit code. A bug keeps its stack. */
function fail(error: unknown): number {
  if (!(error instanceof PipelineError)) {
    printError(`this is a bug in the pipeline, please report it: ${stackOf(error)}`);
    return EXIT_CODES.bug;
  }
  printError(`error ${error.code}: ${error.message}`);
  return error.kind === "cancelled" ? (cancellation.exitCode ?? EXIT_CODES.bug) : exitCodeOf(error.kind);
}

function stackOf(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
}
