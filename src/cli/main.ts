import yargs, { type Argv } from "yargs";
import { hideBin } from "yargs/helpers";
import { messageOf, PipelineError } from "../base/errors.js";
import { EXIT_CODES, endWith, exitCodeOf, exitCodeSoFar, type ExitCode } from "../base/exit-codes.js";
import { versionText } from "../base/files.js";
import { STAGES } from "../record/stages.js";
import { chooseProfile, LOG_LEVELS } from "../settings/settings.js";
import { Cancellation } from "./cancel.js";
import { apiKeyCommand } from "./commands/api-key-command.js";
import { backfillCommand } from "./commands/backfill-command.js";
import { checkCommand } from "./commands/check-command.js";
import { compareCommand } from "./commands/compare-command.js";
import { diffCommand } from "./commands/diff-command.js";
import { docsCommand } from "./commands/docs-command.js";
import { doctorCommand } from "./commands/doctor-command.js";
import { inspectCommand } from "./commands/inspect-command.js";
import { installExtensionCommand } from "./commands/install-extension-command.js";
import { planCommand } from "./commands/plan-command.js";
import { rebuildCommand } from "./commands/rebuild-command.js";
import { rejectedCommand } from "./commands/rejected-command.js";
import { renderCommand } from "./commands/render-command.js";
import { replayCommand } from "./commands/replay-command.js";
import { stageCommand } from "./commands/run-command.js";
import { runsCommand } from "./commands/runs-command.js";
import { sampleCommand } from "./commands/sample-command.js";
import { shellCommand } from "./commands/shell-command.js";
import { statusCommand } from "./commands/status-command.js";
import { testCommand } from "./commands/test-command.js";
import { restoreCommand, withdrawCommand } from "./commands/withdraw-command.js";
import { arrangedHelp, GLOBAL, type CommandGroups } from "./help.js";
import { openedLog, openLog } from "./opened-log.js";
import { print, printError, surviveClosedOutput } from "./output.js";
import { refuseTakenByNpm, usageFault, type CommandLine } from "./usage-faults.js";

const words = hideBin(process.argv);
const cancellation = new Cancellation(fail);
surviveClosedOutput();

const groups = {
  Run: [
    stageCommand(["run", "$0"], "Curate, aggregate and publish one date (default)", STAGES, cancellation),
    stageCommand(["curate"], "Clean and type the raw vouchers", ["curate"], cancellation),
    stageCommand(["aggregate"], "Aggregate the curated vouchers", ["aggregate"], cancellation),
    stageCommand(["publish"], "Publish the aggregates", ["publish"], cancellation),
    backfillCommand(cancellation),
  ],
  Look: [
    statusCommand,
    runsCommand,
    diffCommand,
    compareCommand(cancellation),
    rejectedCommand(cancellation),
    inspectCommand(cancellation),
    checkCommand(cancellation),
    testCommand(cancellation),
    planCommand(cancellation),
    renderCommand(cancellation),
    shellCommand(cancellation),
    docsCommand,
  ],
  Change: [withdrawCommand, restoreCommand],
  Repair: [doctorCommand(cancellation), replayCommand(cancellation), rebuildCommand(cancellation)],
  "Set up": [
    sampleCommand(cancellation),
    installExtensionCommand,
    apiKeyCommand,
    {
      command: "completion",
      describe: "Print a completion script for bash or zsh",
      builder: (yargs: Argv) =>
        yargs.example("$0 completion >> ~/.bashrc", "Complete commands and options in bash"),
      handler: () => {
        // A shell completes the name of a command, which is not npx.
        cli.scriptName("pipeline").showCompletionScript();
      },
    },
  ],
} as unknown as CommandGroups;
const commands = Object.values(groups).flat();

const isHelp = words.includes("--help") || words.includes("-h");
// With --help, yargs would print the help of a command as it is.
const cli = yargs(isHelp ? words.filter((word) => word !== "--help" && word !== "-h") : words)
  .scriptName("npx pipeline")
  .usage("$0 [command] [options]\n\nFinds the most used voucher for each country and customer segment.")
  .command([...commands])
  .strict()
  .option("log-level", {
    choices: LOG_LEVELS,
    group: GLOBAL,
    describe: "Write a JSON log to standard error; or LOG_LEVEL",
  })
  .option("profile", {
    type: "string",
    requiresArg: true,
    group: GLOBAL,
    describe: "Read .env.<profile> on top of .env; or PIPELINE_PROFILE",
  })
  .middleware(({ profile }) => {
    if (profile !== undefined) chooseProfile(profile);
  })
  // A process that only watches another one does not log.
  .middleware(({ logLevel, timeout, watched }) =>
    timeout === undefined || watched === true ? openLog(logLevel) : undefined,
  )
  .help()
  .alias("help", "h")
  .version(versionText())
  .group(["help", "version"], GLOBAL)
  .example("$0 -e 2020-05-29", "Run and publish one execution date")
  .example("$0 backfill --help", "Show the options of a command")
  .wrap(Math.min(110, process.stdout.columns || 110))
  .epilog("Settings are environment variables; see .env.example. Exit codes and errors: docs/errors.md.")
  .exitProcess(false)
  .check(refuseRepeated, true)
  .check(() => {
    refuseTakenByNpm(commandLine());
    return true;
  }, true)
  .fail((message, error: Error | undefined) => {
    // yargs passes no error, or a YError, if it cannot read the command line.
    if (error !== undefined && error.name !== "YError") throw error;
    throw usageFault(message, commandLine());
  });

try {
  if (isHelp) print(arrangedHelp(await cli.getHelp(), groups));
  else await cli.parseAsync();
} catch (error) {
  endWith(fail(cancellation.faultOf(error)));
}
openedLog()?.debug({ exit_code: exitCodeSoFar(), seconds: performance.now() / 1_000 }, "command ended");
cancellation.endIfStuck();

function commandLine(): CommandLine {
  const options = cli.parsed === false ? [] : Object.keys(cli.parsed.aliases);
  return {
    words,
    commands: commands.flatMap(({ command = [] }) => command),
    options: options.filter((name) => !/[A-Z]/.test(name)),
  };
}

/** yargs makes a list of an option that is given twice. No command takes a list. */
function refuseRepeated(options: Record<string, unknown>): true {
  const repeated = Object.keys(options).find(
    (name) => name.length > 1 && name !== "_" && Array.isArray(options[name]),
  );
  if (repeated === undefined) return true;
  throw new PipelineError("INVALID_USAGE", `--${repeated} is given more than once. Give it once`);
}

/** Prints the fault and returns its exit code. A bug is printed with its stack. */
function fail(error: unknown): ExitCode {
  const exitCode = tell(error);
  // A person who presses Ctrl-C often wants to continue later. A scheduler knows its command.
  if (exitCode === cancellation.exitCode && process.stderr.isTTY && !words.includes("--json"))
    printError(`to continue, run: ${typedCommand()}`);
  return exitCode;
}

/** The command of this process, as a person types it. */
function typedCommand(): string {
  const isPlain = (word: string) => /^[\w%+,./:=@-]+$/.test(word);
  const typed = words.map((word) => (isPlain(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  return ["npx pipeline", ...typed].join(" ");
}

function tell(error: unknown): ExitCode {
  if (!(error instanceof PipelineError)) {
    printError(`this is a bug in the pipeline, please report it: ${stackOf(error)}`);
    return EXIT_CODES.bug;
  }
  const { code, message, kind, details, report, warnings } = error;
  const exitCode = kind === "cancelled" ? (cancellation.exitCode ?? EXIT_CODES.bug) : exitCodeOf(kind);
  const isForMachines = words.includes("--json");
  // The log must not have the message, which can show rows of the data.
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
