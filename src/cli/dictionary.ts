import type { Argv, CommandModule } from "yargs";
import { print } from "./output.js";

interface DictionaryArguments {
  out: string | undefined;
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
      .example("$0 dictionary --out docs/data-dictionary.md", "Bring the documentation up to date"),
  handler: async ({ out }) => {
    const [{ loadSqlVersion }, { readSettings }, { dictionaryOf }] = await Promise.all([
      import("../models/load.js"),
      import("../settings.js"),
      import("../models/dictionary.js"),
    ]);
    const { sqlDirectory, sqlVersion } = readSettings();
    const text = dictionaryOf(await loadSqlVersion(sqlDirectory, sqlVersion));
    if (out === undefined) {
      print(text.trimEnd());
    } else {
      const { writeFile } = await import("node:fs/promises");
      await writeFile(out, text);
    }
  },
};
