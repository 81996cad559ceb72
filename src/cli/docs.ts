import type { Argv, CommandModule } from "yargs";
import { messageOf, PipelineError } from "../base/errors.js";
import { print } from "./output.js";

interface DocsArguments {
  out: string;
  json: boolean;
}

/** The command that writes the data dictionary as pages. */
export const docsCommand: CommandModule<object, DocsArguments> = {
  command: "docs",
  describe: "Write the data dictionary as pages that any browser opens, from the models and their SQL",
  builder: (yargs: Argv) =>
    yargs
      .option("out", {
        type: "string",
        requiresArg: true,
        demandOption: true,
        describe: "The folder for the pages; what is there under their names is replaced",
      })
      .option("json", { type: "boolean", default: false, describe: "Print the files as JSON" })
      .example("$0 docs --out site", "Write site/index.html and a page for each table"),
  handler: async ({ out, json }) => {
    const [{ loadSqlVersion }, { readSettings }, { writeSite }] = await Promise.all([
      import("../models/load.js"),
      import("../settings/settings.js"),
      import("../dictionary/write-site.js"),
    ]);
    const { sqlDirectory, sqlVersion } = readSettings();
    const version = await loadSqlVersion(sqlDirectory, sqlVersion);
    try {
      const written = await writeSite(version, out);
      print(json ? JSON.stringify(written, null, 2) : `open ${written.index}`);
    } catch (error) {
      throw new PipelineError("INVALID_USAGE", `--out ${out} cannot be written: ${messageOf(error)}`, {
        cause: error,
      });
    }
  },
};
