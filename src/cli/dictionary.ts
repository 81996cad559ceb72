import type { Argv, CommandModule } from "yargs";
import { print } from "./output.js";

interface DictionaryArguments {
  out: string | undefined;
  json: boolean;
}

/** The command that writes the data dictionary. */
export const dictionaryCommand: CommandModule<object, DictionaryArguments> = {
  command: "dictionary",
  describe: "Write the data dictionary from the headers of the models",
  builder: (yargs: Argv) =>
    yargs
      .option("out", {
        type: "string",
        requiresArg: true,
        describe: "The file to write; without it, to standard output",
      })
      .option("json", { type: "boolean", default: false, describe: "Write it as JSON" })
      .example("$0 dictionary --out docs/data-dictionary.md", "Bring the documentation up to date"),
  handler: async ({ out, json }) => {
    const [{ loadSqlVersion }, { readSettings }, { dictionaryOf }, { dictionaryDataOf }] = await Promise.all([
      import("../models/load.js"),
      import("../settings/settings.js"),
      import("../models/dictionary.js"),
      import("../models/dictionary-data.js"),
    ]);
    const { sqlDirectory, sqlVersion } = readSettings();
    const version = await loadSqlVersion(sqlDirectory, sqlVersion);
    const text = json ? `${JSON.stringify(dictionaryDataOf(version), null, 2)}\n` : dictionaryOf(version);
    if (out === undefined) {
      print(text.trimEnd());
    } else {
      const { writeFile } = await import("node:fs/promises");
      await writeFile(out, text);
    }
  },
};
