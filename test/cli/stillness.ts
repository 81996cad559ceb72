import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits until a process that was sent a SIGSTOP stands still: the signal reaches its threads one after the other. */
export async function stillness(pid: number): Promise<void> {
  while (!(await statesOf(pid)).every((state) => state === "T")) await sleep(10);
}

async function statesOf(pid: number): Promise<(string | undefined)[]> {
  const threads = `/proc/${pid.toString()}/task`;
  const states = (await readdir(threads)).map(async (thread) => {
    const [, state] = /\) ([A-Z]) /.exec(await readFile(`${threads}/${thread}/stat`, "utf8")) ?? [];
    return state;
  });
  return Promise.all(states);
}
