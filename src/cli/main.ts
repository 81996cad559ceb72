import yargs, { type Argv, type CommandModule } from "yargs";
import { hideBin } from "yargs/helpers";
import { messageOf, PipelineError } from "../base/errors.js";
import { EXIT_CODES, endWith, exitCodeOf, exitCodeSoFar, type ExitCode } from "../base/exit-codes.js";
import { versionText } from "../base/files.js";
import { npmScript } from "../base/this-process.js";
import { STAGES } from "../record/stages.js";
import { LOG_LEVELS } from "../settings/settings.js";
import { Cancellation } from "./cancel.js";
import { apiKeyCommand } from "./commands/api-key-command.js";
import { backfillCommand } from "./commands/backfill-command.js";
import { diffCommand } from "./commands/diff-command.js";
import { docsCommand } from "./commands/docs-command.js";
import { doctorCommand } from "./commands/doctor-command.js";
import { inspectCommand } from "./commands/inspect-command.js";
import { installExtensionCommand } from "./commands/install-extension-command.js";
import { planCommand } from "./commands/plan-command.js";
import { rejectedCommand } from "./commands/rejected-command.js";
import { renderCommand } from "./commands/render-command.js";
import { replayCommand } from "./commands/replay-command.js";
import { stageCommand } from "./commands/run-command.js";
import { runsCommand } from "./commands/runs-command.js";
import { sampleCommand } from "./commands/sample-command.js";
import { shellCommand } from "./commands/shell-command.js";
import { statusCommand } from "./commands/status-command.js";
import { restoreCommand, withdrawCommand } from "./commands/withdraw-command.js";
import { openedLog, openLog } from "./opened-log.js";
import { printError, surviveClosedOutput } from "./output.js";

const words = hideBin(process.argv);
const cancellation = new Cancellation(fail);
surviveClosedOutput();

const commands = [
  stageCommand(["run", "$0"], "Curate, aggregate and publish one execution date", STAGES, cancellation),
  stageCommand(["curate"], "Clean and type the raw vouchers", ["curate"], cancellation),
  stageCommand(["aggregate"], "Aggregate the curated vouchers", ["aggregate"], cancellation),
  stageCommand(["publish"], "Publish the aggregates", ["publish"], cancellation),
  backfillCommand(cancellation),
  doctorCommand(cancellation),
  planCommand(cancellation),
  renderCommand(cancellation),
  inspectCommand(cancellation),
  rejectedCommand(cancellation),
  statusCommand,
  runsCommand,
  diffCommand,
  withdrawCommand,
  restoreCommand,
  replayCommand(cancellation),
  sampleCommand(cancellation),
  shellCommand(cancellation),
  docsCommand,
  installExtensionCommand,
  apiKeyCommand,
  {
    command: "completion",
    describe: "Print a script that completes commands and options in bash or zsh",
    builder: (yargs: Argv) =>
      yargs.example("$0 completion >> ~/.bashrc", "Have the shell complete what is typed"),
    handler: () => {
      cli.showCompletionScript();
    },
  },
];

const cli = yargs(words)
  .scriptName("pipeline")
  .usage("$0 [command] [options]\n\nFinds the most used voucher of each country and customer segment.")
  .command(commands as CommandModule[])
  .strict()
  .option("log-level", {
    choices: LOG_LEVELS,
    describe: "Log to standard error, a JSON object a line; LOG_LEVEL unless given",
  })
  // The process that only watches over another one leaves the log to that.
  .middleware(({ logLevel, timeout, watched }) =>
    timeout === undefined || watched === true ? openLog(logLevel) : undefined,
  )
  .help()
  .alias("help", "h")
  .version(versionText())
  .wrap(Math.min(110, process.stdout.columns || 110))
  .epilog("Settings are environment variables, see .env.example. Exit codes and errors: docs/errors.md.")
  .exitProcess(false)
  .check(refuseRepeated, true)
  .fail((message, error: Error | undefined) => {
    // Without an error, or with one of its own, it is yargs that does not understand the command line.
    if (error !== undefined && error.name !== "YError") throw error;
    throw new PipelineError("INVALID_USAGE", `${unknownCommand() ?? message}; see pipeline --help`);
  });

try {
  await cli.parseAsync();
} catch (error) {
  endWith(fail(cancellation.faultOf(error)));
}
openedLog()?.debug({ exit_code: exitCodeSoFar(), seconds: performance.now() / 1_000 }, "command ended");
cancellation.endIfStuck();

/** Where the first word is no command, that is what is wrong, and not the options that the default command lacks. */
function unknownCommand(): string | undefined {
  const [word = "-"] = words;
  const isKnown = word.startsWith("-") || commands.flatMap(namesOf).includes(word);
  return isKnown ? undefined : `Unknown command: ${word}`;
}

/** The names of a command, without its arguments: `replay` of `replay <run>`. */
function namesOf({ command = [] }: Pick<CommandModule, "command">): string[] {
  return [command].flat().map((text) => text.split(" ", 1)[0] ?? text);
}

/** An option that is given twice comes as a list: no command takes one. */
function refuseRepeated(options: Record<string, unknown>): true {
  const repeated = Object.keys(options).find(
    (name) => name.length > 1 && name !== "_" && Array.isArray(options[name]),
  );
  if (repeated === undefined) return true;
  throw new PipelineError("INVALID_USAGE", `--${repeated} is given more than once; see pipeline --help`);
}

/** Tells what went wrong and gives the exit code. A bug keeps its stack. */
function fail(error: unknown): ExitCode {
  const exitCode = tell(error);
  // Who presses Ctrl-C often wants to go on later. A scheduler knows its command.
  if (exitCode === cancellation.exitCode && process.stderr.isTTY && !words.includes("--json"))
    printError(`to go on, run: ${typedCommand()}`);
  return exitCode;
}

/** The command of this process, as a person types it. */
function typedCommand(): string {
  const isPlain = (word: string) => /^[\w%+,./:=@-]+$/.test(word);
  const typed = words.map((word) => (isPlain(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  const isByNpm = npmScript() === "pipeline";
  return [isByNpm ? "npm run pipeline --" : "pipeline", ...typed].join(" ");
}

function tell(error: unknown): ExitCode {
  if (!(error instanceof PipelineError)) {
    printError(`this is a bug in the pipeline, please report it: ${stackOf(error)}`);
    return EXIT_CODES.bug;
  }
  const { code, message, kind, details, report, warnings } = error;
  const exitCode = kind === "cancelled" ? (cancellation.exitCode ?? EXIT_CODES.bug) : exitCodeOf(kind);
  const isForMachines = words.includes("--json");
  // Its message can show rows of the data.
  openedLog()?.error({ error_code: code, exit_code: exitCode }, "command failed");
  printError(
    isForMachines
      ? JSON.stringify({
          error: { code, message, exit_code: exitCode, report, ...details },
          ...(warnings.length > 0 && { warnings }),
        })
      : `error ${code}: ${message}${report === undefined ? "" : `\nreport: ${report}`}`,
  );
  return exitCode;
}

function stackOf(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
}
