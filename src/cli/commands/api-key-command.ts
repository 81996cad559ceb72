import type { Argv, CommandModule } from "yargs";
import { PipelineError } from "../../base/errors.js";
import { hashOfApiKey, newApiKey } from "../../settings/api-key-hash.js";
import { print } from "../output.js";

interface ApiKeyArguments {
  name: string;
  json: boolean;
}

/** The command that makes a key for a client of the api. Nothing is stored. */
export const apiKeyCommand: CommandModule<object, ApiKeyArguments> = {
  command: "api-key <name>",
  describe: "Make a key for a client of the api, and the entry for the file of keys",
  builder: (yargs: Argv) =>
    yargs
      .positional("name", { type: "string", demandOption: true, describe: "Whose key it is, as crm-2027" })
      .option("json", { type: "boolean", default: false, describe: "Print the key and its entry as JSON" })
      .example("$0 api-key crm-2027", "Print a key, once, and its entry for API_KEYS_FILE"),
  handler: ({ name, json }) => {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
      throw new PipelineError(
        "INVALID_USAGE",
        `the name ${JSON.stringify(name)} must be 1 to 64 of the characters A-Z a-z 0-9 . _ -`,
      );
    }
    const key = newApiKey();
    const sha256 = hashOfApiKey(key).toString("hex");
    if (json) {
      print(JSON.stringify({ key, entry: { name, sha256 } }, null, 2));
      return;
    }
    print(`The key, which is shown only now:

  ${key}

Its entry below "keys:" of the file that API_KEYS_FILE names:

  - name: "${name}"
    sha256: "${sha256}"`);
  },
};
