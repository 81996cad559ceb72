import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Settings } from "../../../src/settings/settings.js";
import { PROJECT } from "../../workspace.js";
import type { Policy } from "./temporary-keys.js";

/** The policy that docs/operating.md states, for the zones of a workspace. */
export async function documentedPolicy({ zones, runReports }: Settings): Promise<Policy> {
  const text = await readFile(path.join(PROJECT, "docs/operating.md"), "utf8");
  const [, policy = ""] = /^```json\n(.*?)^```$/ms.exec(text) ?? [];
  const bucket = zones.raw.split("/")[2] ?? "";
  const located = Object.entries({ ...zones, runs: runReports }).reduce(
    (replaced, [zone, location]) =>
      replaced.replaceAll(`lake/${zone}/`, `${location.slice("s3://".length)}/`),
    policy,
  );
  return JSON.parse(located.replaceAll(":lake", `:${bucket}`)) as Policy;
}

/** The policy without an action in one of its statements. */
export async function poorerPolicy(settings: Settings, action: string, index: number): Promise<Policy> {
  const { Version, Statement } = await documentedPolicy(settings);
  const poorer = Statement.map((statement, position) =>
    position === index
      ? { ...statement, Action: statement.Action.filter((name) => name !== action) }
      : statement,
  );
  return { Version, Statement: poorer.filter(({ Action }) => Action.length > 0) };
}
