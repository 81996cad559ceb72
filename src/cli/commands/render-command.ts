import type { Argv, CommandModule } from "yargs";
import type { RenderedModel } from "../../introspect/rendered-model.js";
import type { Cancellation } from "../cancel.js";
import { print, printWarning } from "../output.js";
import { executionDateOption } from "../run-options.js";

interface RenderArguments {
  model: string;
  "execution-date": string;
  audits: boolean;
  json: boolean;
}

/** The command that prints the SQL of one model. */
export function renderCommand(cancellation: Cancellation): CommandModule<object, RenderArguments> {
  return {
    command: "render <model>",
    describe: "Print the rendered SQL of one model, without running it",
    builder: (yargs: Argv) =>
      yargs
        .positional("model", {
          type: "string",
          demandOption: true,
          describe: "Zone and name of the model, for example curated.vouchers",
        })
        .option("execution-date", executionDateOption)
        .option("audits", { type: "boolean", default: false, describe: "Also print the SQL of its audits" })
        .option("json", { type: "boolean", default: false, describe: "Print the SQL as JSON" })
        .example("$0 render curated.vouchers -e 2020-05-29 > vouchers.sql", "Save the SQL of a model"),
    handler: async ({ model, "execution-date": text, audits, json }) => {
      const [{ renderOne }, { readSettings }, { parseExecutionDate }] = await Promise.all([
        import("../../introspect/rendered-model.js"),
        import("../../settings/settings.js"),
        import("../../voucher/execution-date.js"),
      ]);
      const request = { model, executionDate: parseExecutionDate(text) };
      const rendered = await renderOne(readSettings(), request, cancellation.signal, printWarning);
      print(json ? JSON.stringify(rendered, null, 2) : sqlOf(rendered, { audits }));
    },
  };
}

function sqlOf({ sql, audits }: RenderedModel, shown: { readonly audits: boolean }): string {
  return [
    `${sql};`,
    ...(shown.audits ? audits.map(({ file, sql: audit }) => `-- ${file}\n${audit};`) : []),
  ].join("\n\n");
}
