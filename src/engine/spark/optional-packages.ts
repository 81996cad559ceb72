import { messageOf, PipelineError, systemCodeOf } from "../../base/errors.js";

/** The packages that only a Spark needs, with the command that installs each. package.json has the same versions. */
const COMMANDS = {
  "hive-driver": "npm install hive-driver@1.0.0",
  kerberos: "npm install kerberos@7",
} as const;

const NOT_LOADED = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND", "ERR_DLOPEN_FAILED"];

/**
 * Loads a package that need not be installed.
 * @throws PipelineError ENGINE_NOT_USABLE that names the command to install it.
 */
export async function optionalPackage<Module>(
  name: keyof typeof COMMANDS,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if (!NOT_LOADED.includes(systemCodeOf(error) ?? "")) throw error;
    const [said = ""] = messageOf(error).split("\n", 1);
    // A package with native code can be there without the binary for this machine.
    const what = said.includes(`'${name}'`) ? "is not installed" : `cannot be loaded: ${said}`;
    // Without the cause: the installation of the pipeline itself is whole.
    throw new PipelineError(
      "ENGINE_NOT_USABLE",
      `ENGINE needs the package ${name}, which ${what}; run: ${COMMANDS[name]}`,
    );
  }
}
