import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeFolder } from "../workspace.js";
import { MAIN } from "./command.js";

/** What a person waits to see, and then types. */
export type Step = readonly [shown: string, typed: string];

/** A person who sees nothing for so long goes away. */
const PATIENCE_MILLISECONDS = 20_000;

/** What was done on a terminal of 80 columns, on Linux. */
export interface Session {
  /** What the terminal has shown, without what moves its cursor and colours its text. */
  readonly shown: string;
  /** The exit code. */
  readonly status: number | null;
}

/** Opens the shell on a terminal. */
export function shellOnTerminal(
  environment: Record<string, string>,
  options: string,
  steps: readonly Step[],
): Promise<Session> {
  return onTerminal(`"${process.execPath}" "${MAIN}" shell ${options}`, environment, steps);
}

/** Runs a command of the shell on a terminal. */
export async function onTerminal(
  command: string,
  environment: Record<string, string>,
  steps: readonly Step[],
): Promise<Session> {
  // script(1) of util-linux runs a command on a terminal of its own.
  const child = spawn(
    "script",
    ["--quiet", "--return", "--command", `stty cols 80 rows 24; exec ${command}`, "/dev/null"],
    { env: { PATH: process.env["PATH"], TERM: "xterm", ...environment }, stdio: ["pipe", "pipe", "inherit"] },
  );
  const waiting = [...steps];
  let shown = "";
  let read = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    for (let [step] = waiting; step !== undefined; [step] = waiting) {
      const [awaited, typed] = step;
      const at = shown.indexOf(awaited, read);
      if (at === -1) break;
      read = at + awaited.length;
      child.stdin.write(typed);
      waiting.shift();
    }
  });
  const leaving = setTimeout(() => child.kill(), PATIENCE_MILLISECONDS);
  const [status] = (await once(child, "close")) as [number | null];
  clearTimeout(leaving);
  // eslint-disable-next-line no-control-regex -- what moves the cursor and colours the text are control sequences
  return { shown: shown.replaceAll(/\r|\u001b\[[0-9;]*[A-Za-z]/g, ""), status };
}

/** A folder with a command `duckdb` that tells what it was started with: its arguments, init file and environment. */
export async function folderWithDuckDb(version: string): Promise<string> {
  const folder = await makeFolder();
  const file = path.join(folder, "duckdb");
  const tells = `if [ "$1" = -version ]; then echo "${version} (Name) 1234"; exit; fi`;
  await writeFile(
    file,
    `#!/bin/sh\n${tells}\necho "arguments: $*"\ncat "$2"\necho "environment:"\nenv\nexit 1\n`,
  );
  await chmod(file, 0o755);
  return folder;
}
