import { readFileSync } from "node:fs";

/** The version of the package, from the package.json beside the folder that this runs from. */
export function versionText(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
