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

/** The command that creates sample vouchers. */
export function sampleCommand(cancellation: Cancellation): CommandModule<object, SampleArguments> {
  return {
    command: "sample",
    describe: "Create sample vouchers; the same options give the same files",
    builder: (yargs: Argv) =>
      yargs
        .option("rows", {
          type: "number",
          requiresArg: true,
          describe: "Number of vouchers; default: 20000",
        })
        .option("files", {
          type: "number",
          requiresArg: true,
          describe: "Number of Parquet files; default: one per million, at least 2",
        })
        .option("countries", {
          type: "number",
          requiresArg: true,
          describe: "Number of countries, at least 4; default: 4",
        })
        .option("out", {
          type: "string",
          requiresArg: true,
          describe: "Write to this folder, for example /tmp/vouchers",
        })
        .option("to-raw", {
          type: "boolean",
          describe: "Write to the raw zone if it is empty",
        })
        .option("json", { type: "boolean", default: false, describe: "Print the names of the files as JSON" })
        .conflicts("out", "to-raw")
        .example("$0 sample --to-raw", "Fill an empty raw zone")
        .example("$0 sample --rows 1000000 --out /tmp/vouchers", "Create a million vouchers")
        .example(
          "$0 sample --files 100 --countries 250 --to-raw",
          "Create many small files and many countries",
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
          "missing target. Use --out FOLDER or --to-raw; see npx pipeline sample --help",
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
    ? "the raw zone is not empty; nothing was written"
    : files.map(({ path, rows }) => `${path}: ${rows.toString()} rows`).join("\n");
}
