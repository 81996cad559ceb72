import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../../base/errors.js";
import type { SampleFile } from "../../run/sample.js";
import type { Cancellation } from "../cancel.js";
import { print, printWarning } from "../output.js";

interface SampleArguments {
  rows: number | undefined;
  files: number | undefined;
  countries: number | undefined;
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
        .option("files", {
          type: "number",
          requiresArg: true,
          describe: "How many Parquet files; one for each million vouchers unless said, or two",
        })
        .option("countries", {
          type: "number",
          requiresArg: true,
          describe: "How many countries they are of; 4 unless said, and not fewer",
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
        .example("$0 sample --rows 1000000 --out /tmp/vouchers", "Make a million vouchers")
        .example(
          "$0 sample --files 100 --countries 250 --to-raw",
          "Make 20,000 in many small files, of many countries",
        ),
    handler: async ({ rows, files, countries, out, "to-raw": toRaw, json }) => {
      const [{ makeSample, makeSampleInRawZone, SAMPLE_SIZE }, { readSettings }] = await Promise.all([
        import("../../run/sample.js"),
        import("../../settings/settings.js"),
      ]);
      const context = { settings: readSettings(), signal: cancellation.signal, warn: printWarning };
      const size = {
        rows: rows ?? SAMPLE_SIZE.rows,
        files: files ?? SAMPLE_SIZE.files,
        countries: countries ?? SAMPLE_SIZE.countries,
      };
      if (out === undefined && toRaw !== true) {
        throw new PipelineError(
          "INVALID_USAGE",
          "sample needs --out FOLDER or --to-raw; see pipeline sample --help",
        );
      }
      const written =
        out === undefined ? await makeSampleInRawZone(context, size) : await makeSample(context, size, out);
      print(json ? JSON.stringify({ files: written }, null, 2) : describe(written));
    },
  };
}

function describe(files: readonly SampleFile[]): string {
  return files.length === 0
    ? "the raw zone has files: nothing was written"
    : files.map(({ path, rows }) => `${path}: ${rows.toString()} rows`).join("\n");
}
