import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";

/** A folder that names the workspaces that test files share, see test/run/filled-workspace.ts. */
export function shareFilledWorkspaces() {
  process.env.TEST_FILLED_WORKSPACES = mkdtempSync(path.join(os.tmpdir(), "voucher-pipeline-filled-"));
}

/** Removes them when all tests have run. */
export function removeFilledWorkspaces() {
  const shared = process.env.TEST_FILLED_WORKSPACES;
  for (const name of readdirSync(shared)) {
    const { folder } = JSON.parse(readFileSync(path.join(shared, name), "utf8"));
    rmSync(folder, { recursive: true, force: true });
  }
  rmSync(shared, { recursive: true });
}
