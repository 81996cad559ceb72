import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

/** What a test of reliability has tried, and what came of it. */
export interface ReliabilityResult {
  readonly name: string;
  /** How often each thing was tried. */
  readonly tried: Readonly<Record<string, number>>;
  /** How often each thing came of it. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** How often a promise was broken. */
  readonly violations: number;
}

/** Writes a result as JSON into the folder that RELIABILITY_RESULTS names; does nothing where it names none. */
export async function recordReliability(result: ReliabilityResult): Promise<void> {
  const { RELIABILITY_RESULTS: folder } = process.env;
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  const slug = result.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  await writeFile(path.join(folder, `${slug}.json`), `${JSON.stringify(result, null, 2)}\n`);
}
