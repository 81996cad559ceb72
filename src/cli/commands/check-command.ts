import type { Argv, CommandModule } from "yargs";
import { counting } from "../../base/words.js";
import type { Cancellation } from "../cancel.js";
import { print } from "../output.js";

interface CheckArguments {
  json: boolean;
  schema: (typeof SCHEMAS)[number] | undefined;
}

const SCHEMAS = [
  "raw",
  "curated",
  "provision",
  "measures",
  "audits",
  "inspections",
  "functions",
  "tests",
] as const;

/** The command that checks the SQL without a run. */
export function checkCommand(cancellation: Cancellation): CommandModule<object, CheckArguments> {
  return {
    command: "check",
    describe: "Check the SQL files, without zones or a database",
    builder: (yargs: Argv) =>
      yargs
        .option("json", { type: "boolean", default: false, describe: "Print the faults as JSON" })
        .option("schema", {
          choices: SCHEMAS,
          describe: "Print the JSON Schema of the headers in a folder, or of tests",
        })
        .example("$0 check", "Check every file after a change")
        .example("$0 check --schema tests > tests.schema.json", "Let an editor complete tests"),
    handler: async ({ json, schema }) => {
      if (schema !== undefined) {
        const { sqlFileSchema } = await import("../../introspect/check/file-schemas.js");
        print(JSON.stringify(sqlFileSchema(schema), null, 2));
        return;
      }
      const [{ checkSql }, { assertNoFaults }, { readSettings }, { endWith, EXIT_CODES }] = await Promise.all(
        [
          import("../../introspect/check/check-sql.js"),
          import("../../introspect/check/sql-faults.js"),
          import("../../settings/settings.js"),
          import("../../base/exit-codes.js"),
        ],
      );
      const { files, faults } = await checkSql(readSettings(), cancellation.signal, { withTests: true });
      if (!json) {
        assertNoFaults(faults);
        print(`${counting(files, "file")} checked: all is well`);
        return;
      }
      print(JSON.stringify(faults, null, 2));
      if (faults.length > 0) endWith(EXIT_CODES.usage);
    },
  };
}
