import type { Argv, CommandModule } from "yargs";
import { print } from "../output.js";

/** The command that installs DuckDB's S3 extension before the first run that needs it. */
export const installExtensionCommand: CommandModule<object, { json: boolean }> = {
  command: "install-extension",
  describe: "Install DuckDB's S3 extension before the first run",
  builder: (yargs: Argv) =>
    yargs
      .option("json", { type: "boolean", default: false, describe: "Print the installed version as JSON" })
      .example("$0 install-extension", "Prepare the first run with zones on S3"),
  handler: async ({ json }) => {
    const [{ installS3Extension }, { readSettings }] = await Promise.all([
      import("../../introspect/doctor/engine.js"),
      import("../../settings/settings.js"),
    ]);
    const version = await installS3Extension(readSettings());
    print(
      json
        ? JSON.stringify({ extension: "httpfs", duckdb: version }, null, 2)
        : `the httpfs extension for DuckDB ${version} is installed`,
    );
  },
};
