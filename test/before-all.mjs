import { buildForTests } from "./build.mjs";
import { shareFilledWorkspaces } from "./filled-workspaces.mjs";
import { startWarmProcesses } from "./warm-processes.mjs";

/** What all test files share. */
export default async function beforeAllTests({ maxWorkers }) {
  await buildForTests();
  shareFilledWorkspaces();
  startWarmProcesses(maxWorkers);
}
