import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../../base/errors.js";
import { hashOfApiKey, newApiKey } from "../../settings/api-key-hash.js";
import { print } from "../output.js";

interface ApiKeyArguments {
  name: string;
  json: boolean;
}

/** The command that creates an api key. It stores nothing. */
export const apiKeyCommand: CommandModule<object, ApiKeyArguments> = {
  command: "api-key <name>",
  describe: "Create an api key and its entry for API_KEYS_FILE",
  builder: (yargs: Argv) =>
    yargs
      .positional("name", {
        type: "string",
        demandOption: true,
        describe: "Name of the client, for example crm-2027",
      })
      .option("json", { type: "boolean", default: false, describe: "Print the key and its entry as JSON" })
      .example("$0 api-key crm-2027", "Create a key for the client crm-2027"),
  handler: ({ name, json }) => {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
      throw new PipelineError(
        "INVALID_USAGE",
        `the name ${JSON.stringify(name)} is not valid. Use 1 to 64 of the characters A-Z a-z 0-9 . _ -`,
      );
    }
    const key = newApiKey();
    const sha256 = hashOfApiKey(key).toString("hex");
    if (json) {
      print(JSON.stringify({ key, entry: { name, sha256 } }, null, 2));
      return;
    }
    print(`The key. It is shown only once:

  ${key}

Add this entry below "keys:" in the file API_KEYS_FILE:

  - name: "${name}"
    sha256: "${sha256}"`);
  },
};
