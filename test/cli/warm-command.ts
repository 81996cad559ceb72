import { once } from "node:events";
import { connect } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { pipeline as pipelineInNewProcess, type Ended } from "./command.js";

/**
 * Runs the built command line in a process that has run other commands before, and does not end: that takes less than half of the time
 * of a new process. For tests of what a command does, prints and gives as exit code. Others start a process by command.ts: those of
 * signals, terminals, pipes and logs, of commands at the same time, and of what is left when a process has ended.
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
