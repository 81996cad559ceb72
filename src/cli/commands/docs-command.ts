import type { Argv, CommandModule } from "yargs";
import { messageOf, PipelineError } from "../../base/errors.js";
import type { Lineage } from "../../dictionary/entries.js";
import type { SqlVersion } from "../../models/load.js";
import { print } from "../output.js";

interface DocsArguments {
  out: string | undefined;
  markdown: string | undefined;
  odcs: string | undefined;
  json: boolean;
}

/** The command that writes the data dictionary as pages, Markdown or JSON, and the data contract. */
export const docsCommand: CommandModule<object, DocsArguments> = {
  command: "docs",
  describe: "Write the data dictionary as pages, Markdown or JSON, or the data contract",
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
      .option("odcs", {
        type: "string",
        describe: "Write the data contract (ODCS 3.1, YAML) into this file; without a file, print it",
      })
      .option("json", {
        type: "boolean",
        default: false,
        describe: "Print the dictionary as JSON; with --out, print the written files",
      })
      .example("$0 docs --out site", "Write site/index.html and a page for each table")
      .example("$0 docs --markdown docs/data-dictionary.md", "Bring the documentation up to date")
      .example(
        "$0 docs --odcs docs/data-contract.odcs.yaml",
        "Write the Open Data Contract Standard document",
      )
      .example("$0 docs --json", "Print the dictionary for programs"),
  handler: async ({ out, markdown, odcs, json }) => {
    refuseUnclearForm({ out, markdown, odcs, json });
    const [{ loadSqlVersion }, { traceForDictionary }, { readSettings }] = await Promise.all([
      import("../../models/load.js"),
      import("../../run/column-lineage.js"),
      import("../../settings/settings.js"),
    ]);
    const { sqlDirectory, sqlVersion } = readSettings();
    const version = await loadSqlVersion(sqlDirectory, sqlVersion);
    const lineage = await traceForDictionary(version);
    if (out !== undefined) return writePages(version, lineage, out, { asJson: json });
    if (markdown !== undefined) {
      const { dictionaryOf } = await import("../../dictionary/dictionary.js");
      return writeText("--markdown", markdown, dictionaryOf(version, lineage));
    }
    if (odcs !== undefined) {
      const { dataContractOf } = await import("../../dictionary/data-contract.js");
      return writeText("--odcs", odcs, dataContractOf(version, lineage));
    }
    const { dictionaryDataOf } = await import("../../dictionary/dictionary.js");
    print(JSON.stringify(dictionaryDataOf(version, lineage), null, 2));
  },
};

function refuseUnclearForm({ out, markdown, odcs, json }: DocsArguments): void {
  const isSite = out !== undefined || json;
  if (markdown !== undefined && (isSite || odcs !== undefined))
    throw new PipelineError("INVALID_USAGE", "give --markdown without --out, --odcs and --json");
  if (odcs !== undefined && isSite)
    throw new PipelineError("INVALID_USAGE", "give --odcs without --out, --markdown and --json");
  if (!isSite && markdown === undefined && odcs === undefined) {
    const message = "give --out <folder>, --markdown [file], --odcs [file] or --json";
    throw new PipelineError("INVALID_USAGE", message);
  }
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

/** Writes a text into a file, or prints it if the option names no file. */
async function writeText(option: string, file: string, text: string): Promise<void> {
  if (file === "") {
    print(text.trimEnd());
    return;
  }
  const { writeFile } = await import("node:fs/promises");
  await writing(`${option} ${file}`, () => writeFile(file, text));
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
