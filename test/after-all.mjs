import { removeFilledWorkspaces } from "./filled-workspaces.mjs";
import { stopWarmProcesses } from "./warm-processes.mjs";

export default function afterAllTests() {
  stopWarmProcesses();
  removeFilledWorkspaces();
}
