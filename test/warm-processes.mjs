import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";

let started = [];

/** Starts a process for the commands of each worker, see test/cli/warm-command.ts. */
export function startWarmProcesses(workers) {
  const sockets = mkdtempSync(path.join(os.tmpdir(), "voucher-pipeline-warm-"));
  process.env.TEST_WARM_PROCESSES = sockets;
  const program = path.join(import.meta.dirname, "cli/warm-process.mjs");
  started = Array.from({ length: workers }, (_, index) =>
    spawn(process.execPath, ["--expose-gc", program, path.join(sockets, (index + 1).toString())], {
      stdio: ["pipe", "ignore", "inherit"],
    }),
  );
}

export function stopWarmProcesses() {
  for (const one of started) one.kill("SIGKILL");
  rmSync(process.env.TEST_WARM_PROCESSES, { recursive: true });
}
