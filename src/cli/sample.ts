import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../errors.js";
import type { SampleFile } from "../pipeline/sample.js";
import type { Cancellation } from "./cancel.js";
import { print, printWarning } from "./output.js";

interface SampleArguments {
  rows: number | undefined;
  out: string | undefined;
  "to-raw": boolean | undefined;
  json: boolean;
}

/** The command that makes sample raw data. */
export function sampleCommand(cancellation: Cancellation): CommandModule<object, SampleArguments> {
  return {
    command: "sample",
    describe: "Make raw sample data of any size, the same at every call",
    builder: (yargs: Argv) =>
      yargs
        .option("rows", {
          type: "number",
          requiresArg: true,
          describe: "How many vouchers; 20000 unless said",
        })
        .option("out", {
          type: "string",
          requiresArg: true,
          describe: "The folder for the files, as data/raw/vouchers",
        })
        .option("to-raw", {
          type: "boolean",
          describe: "Put the files into the raw zone, unless it has files",
        })
        .option("json", { type: "boolean", default: false, describe: "Print the files as JSON" })
        .conflicts("out", "to-raw")
        .example("$0 sample --to-raw", "Have something in the raw zone to begin with")
        .example("$0 sample --rows 1000000 --out /tmp/vouchers", "Make a million vouchers"),
    handler: async ({ rows, out, "to-raw": toRaw, json }) => {
      const [{ makeSample, makeSampleInRawZone, SAMPLE_ROWS }, { readSettings }] = await Promise.all([
        import("../pipeline/sample.js"),
        import("../settings.js"),
      ]);
      const context = { settings: readSettings(), signal: cancellation.signal, warn: printWarning };
      const count = rows ?? SAMPLE_ROWS;
      if (out === undefined && toRaw !== true) {
        throw new PipelineError(
          "INVALID_USAGE",
          "sample needs --out FOLDER or --to-raw; see pipeline sample --help",
        );
      }
      const files =
        out === undefined
          ? await makeSampleInRawZone(context, count)
          : await makeSample(context, { rows: count, folder: out });
      print(json ? JSON.stringify({ files }, null, 2) : describe(files));
    },
  };
}

function describe(files: readonly SampleFile[]): string {
  return files.length === 0
    ? "the raw zone has files: nothing was written"
    : files.map(({ path, rows }) => `${path}: ${rows.toString()} rows`).join("\n");
}
