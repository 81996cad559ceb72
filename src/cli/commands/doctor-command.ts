import type { Argv, CommandModule } from "yargs";
import { FAULTS } from "../../base/errors.js";
import { EXIT_CODES, endWith, exitCodeOf, type ExitCode } from "../../base/exit-codes.js";
import type { DoctorReport } from "../../introspect/doctor/doctor.js";
import type { CheckResult } from "../../introspect/doctor/examination.js";
import type { Cancellation } from "../cancel.js";
import { print } from "../output.js";

interface DoctorArguments {
  json: boolean;
}

const MARKS = { passed: "✓ ok", failed: "✗ failed", unchecked: "- not checked" } as const;

/** The command that checks everything a run needs. */
export function doctorCommand(cancellation: Cancellation): CommandModule<object, DoctorArguments> {
  return {
    command: "doctor",
    describe: "Check that everything a run needs is in place",
    builder: (yargs: Argv) =>
      yargs
        .option("json", { type: "boolean", default: false, describe: "Print the checks as JSON" })
        .example("$0 doctor", "Check before the first run, or after a failed run"),
    handler: async ({ json }) => {
      const [{ examine }, { RunActivity }, { readSettings }, { showingProgress, stepsInWords }] =
        await Promise.all([
          import("../../introspect/doctor/doctor.js"),
          import("../../run/activity.js"),
          import("../../settings/settings.js"),
          import("../progress.js"),
        ]);
      const activity = new RunActivity();
      const report = await showingProgress(
        () => stepsInWords(activity),
        () => examine(() => readSettings(), cancellation.signal, activity),
      );
      print(json ? JSON.stringify(report, null, 2) : describe(report));
      endWith(gravest(report));
    },
  };
}

function describe({ checks, healthy }: DoctorReport): string {
  const marks = Math.max(...Object.values(MARKS).map(({ length }) => length));
  const names = Math.max(...checks.map(({ check }) => check.length));
  const indent = " ".repeat(marks + names + 4);
  const lines = checks.map(({ check, outcome, code, message }) => {
    const said = `${code === null ? "" : `${code}: `}${message}`.replaceAll("\n", `\n${indent}`);
    return `${MARKS[outcome].padEnd(marks)}  ${check.padEnd(names)}  ${said}`;
  });
  const failed = checks.filter(({ outcome }) => outcome === "failed").length;
  const end = healthy ? "all is well" : `failed: ${failed.toString()} of ${checks.length.toString()} checks`;
  return [...lines, "", end].join("\n");
}

/** The exit code of the gravest failed check. A lower code is less likely to recover without a fix. */
function gravest({ checks }: DoctorReport): ExitCode {
  const codes = checks.filter(({ outcome }) => outcome === "failed").map(exitCode);
  return codes.sort((a, b) => a - b)[0] ?? EXIT_CODES.done;
}

function exitCode({ code }: CheckResult): ExitCode {
  if (code === null || code === "BUG") return EXIT_CODES.bug;
  const kind = FAULTS[code];
  return kind === "cancelled" ? EXIT_CODES.bug : exitCodeOf(kind);
}
