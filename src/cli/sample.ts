import type { Argv, CommandModule } from "yargs";
import type { Cancellation } from "./cancel.js";
import { print, printWarning } from "./output.js";

interface SampleArguments {
  rows: number;
  out: string;
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
          demandOption: true,
          requiresArg: true,
          describe: "How many vouchers",
        })
        .option("out", {
          type: "string",
          demandOption: true,
          requiresArg: true,
          describe: "The folder for the files, as data/raw/vouchers",
        })
        .example(
          "$0 sample --rows 12000 --out data/raw/vouchers",
          "Make the sample that comes with the project",
        ),
    handler: async ({ rows, out }) => {
      const [{ makeSample }, { readSettings }] = await Promise.all([
        import("../pipeline/sample.js"),
        import("../settings.js"),
      ]);
      const files = await makeSample(
        readSettings(),
        { rows, folder: out },
        cancellation.signal,
        printWarning,
      );
      print(files.map(({ path, rows: count }) => `${path}: ${count.toString()} rows`).join("\n"));
    },
  };
}
