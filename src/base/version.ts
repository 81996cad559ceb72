import { readFileSync } from "node:fs";
import path from "node:path";
import { projectFolder } from "./files.js";

/** The version of the package. */
export function versionText(): string {
  const text = readFileSync(path.join(projectFolder(), "package.json"), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
