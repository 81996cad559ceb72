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
  describe: "Write the data dictionary or the data contract",
  builder: (yargs: Argv) =>
    yargs
      .option("out", {
        type: "string",
        requiresArg: true,
        describe: "Write web pages to this folder; replaces existing pages",
      })
      .option("markdown", {
        type: "string",
        describe: "Write Markdown to this file; without a file, print it",
      })
      .option("odcs", {
        type: "string",
        describe: "Write the data contract (ODCS 3.1) to this file, or print it",
      })
      .option("json", {
        type: "boolean",
        default: false,
        describe: "Print JSON; with --out, print the names of the written files",
      })
      .example("$0 docs --out site", "Write site/index.html and one page per table")
      .example("$0 docs --markdown docs/data-dictionary.md", "Update the documentation")
      .example(
        "$0 docs --odcs docs/data-contract.odcs.yaml",
        "Write the Open Data Contract Standard document",
      )
      .example("$0 docs --json", "Print the dictionary as JSON"),
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
    throw new PipelineError("INVALID_USAGE", "--markdown cannot be combined with --out, --odcs or --json");
  if (odcs !== undefined && isSite)
    throw new PipelineError("INVALID_USAGE", "--odcs cannot be combined with --out, --markdown or --json");
  if (!isSite && markdown === undefined && odcs === undefined) {
    const message = "missing format. Use --out FOLDER, --markdown [FILE], --odcs [FILE] or --json";
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
    throw new PipelineError("INVALID_USAGE", `cannot write ${option}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
