import { once } from "node:events";
import { connect } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { pipeline as pipelineInNewProcess, type Ended } from "./command.js";

/**
 * Runs the built command line in a process that has run other commands before, and does not end: that takes less than half of the time
 * of a new process. Tests use it for what a command does and prints, and for its exit code. Tests of signals, terminals, pipes
 * and logs start a new process with command.ts. So do tests of parallel commands, and of what is left at the end of a process.
 */
export async function pipeline(
  args: readonly string[],
  environment: Record<string, string> = {},
  folder?: string,
): Promise<Ended> {
  const { JEST_WORKER_ID: worker = "", TEST_WARM_PROCESSES: sockets } = process.env;
  if (sockets === undefined) return pipelineInNewProcess(args, environment, undefined, folder);
  const socket = connect(path.join(sockets, worker));
  await once(socket, "connect");
  socket.end(JSON.stringify({ args, environment: { PATH: process.env["PATH"], ...environment }, folder }));
  return JSON.parse(await text(socket)) as Ended;
}
