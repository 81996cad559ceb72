import type { Argv, CommandModule } from "yargs";
import { messageOf, PipelineError } from "../../base/errors.js";
import type { Lineage } from "../../dictionary/entries.js";
import type { SqlVersion } from "../../models/load.js";
import { print } from "../output.js";

interface DocsArguments {
  out: string | undefined;
  markdown: string | undefined;
  json: boolean;
}

/** The command that writes the data dictionary: as pages, as Markdown or as JSON. */
export const docsCommand: CommandModule<object, DocsArguments> = {
  command: "docs",
  describe: "Write the data dictionary as pages, Markdown or JSON",
  builder: (yargs: Argv) =>
    yargs
      .option("out", {
        type: "string",
        requiresArg: true,
        describe: "Write pages into this folder; replaces those that are there",
      })
      .option("markdown", {
        type: "string",
        describe: "Write Markdown into this file; without a file, print it",
      })
      .option("json", {
        type: "boolean",
        default: false,
        describe: "Print the dictionary as JSON; with --out, print the written files",
      })
      .example("$0 docs --out site", "Write site/index.html and a page for each table")
      .example("$0 docs --markdown docs/data-dictionary.md", "Bring the documentation up to date")
      .example("$0 docs --json", "Print the dictionary for programs"),
  handler: async ({ out, markdown, json }) => {
    refuseUnclearForm({ out, markdown, json });
    const [{ loadSqlVersion }, { traceForDictionary }, { readSettings }] = await Promise.all([
      import("../../models/load.js"),
      import("../../run/column-lineage.js"),
      import("../../settings/settings.js"),
    ]);
    const { sqlDirectory, sqlVersion } = readSettings();
    const version = await loadSqlVersion(sqlDirectory, sqlVersion);
    const lineage = await traceForDictionary(version);
    if (out !== undefined) return writePages(version, lineage, out, { asJson: json });
    if (markdown !== undefined) return writeMarkdown(version, lineage, markdown);
    const { dictionaryDataOf } = await import("../../dictionary/dictionary.js");
    print(JSON.stringify(dictionaryDataOf(version, lineage), null, 2));
  },
};

function refuseUnclearForm({ out, markdown, json }: DocsArguments): void {
  if (markdown !== undefined && (out !== undefined || json))
    throw new PipelineError("INVALID_USAGE", "give --markdown without --out and --json");
  if (out === undefined && markdown === undefined && !json)
    throw new PipelineError("INVALID_USAGE", "give --out <folder>, --markdown [file] or --json");
}

async function writePages(
  version: SqlVersion,
  lineage: Lineage,
  folder: string,
  { asJson }: { readonly asJson: boolean },
): Promise<void> {
  const { writeSite } = await import("../../dictionary/site.js");
  const written = await writing(`--out ${folder}`, () => writeSite(version, lineage, folder));
  print(asJson ? JSON.stringify(written, null, 2) : `open ${written.index}`);
}

async function writeMarkdown(version: SqlVersion, lineage: Lineage, file: string): Promise<void> {
  const [{ dictionaryOf }, { writeFile }] = await Promise.all([
    import("../../dictionary/dictionary.js"),
    import("node:fs/promises"),
  ]);
  const text = dictionaryOf(version, lineage);
  if (file === "") print(text.trimEnd());
  else await writing(`--markdown ${file}`, () => writeFile(file, text));
}

async function writing<Result>(option: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    throw new PipelineError("INVALID_USAGE", `${option} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
