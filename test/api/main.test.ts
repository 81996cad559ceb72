import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:http";
import { connect } from "node:net";
import path from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { makeWorkspace, PROJECT } from "../workspace.js";

const running: ChildProcess[] = [];

beforeAll(() => {
  execFileSync("npm", ["run", "--silent", "build"], { cwd: PROJECT });
});

afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

/** The built api in a process of its own. */
function start(environment: Record<string, string>) {
  const child = spawn(process.execPath, [path.join(PROJECT, "dist/api/main.js")], {
    env: { PATH: process.env["PATH"], ...environment },
  });
  running.push(child);
  let log = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (log += text));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const port = new Promise<number>((resolve) => {
    child.stdout.on("data", () => {
      const [, found] = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(log) ?? [];
      if (found !== undefined) resolve(Number(found));
    });
  });
  return { child, ended, port, log: () => log };
}

describe("the api as a process", () => {
  it("answers, logs a request without the customer in it, and ends when it is told to", async () => {
    const { environment } = await makeWorkspace();
    const api = start(environment);
    const port = await api.port;
    const response = await fetch(`http://127.0.0.1:${port}/?customer=secret`);
    expect(await response.text()).toBe('{"Hello":"World!!"}');
    api.child.kill("SIGTERM");
    expect(await api.ended).toBe(0);
    expect(api.log()).toContain('"path":"/"');
    expect(api.log()).not.toContain("secret");
  });

  it("ends although a connection is open on which nothing was asked", async () => {
    const { environment } = await makeWorkspace();
    const api = start(environment);
    const socket = connect(await api.port, "127.0.0.1");
    await new Promise((resolve) => socket.on("connect", resolve));
    socket.on("error", () => undefined);
    api.child.kill("SIGTERM");
    expect(await api.ended).toBe(0);
  });

  it("says where it cannot listen, and exits with 2", async () => {
    const { environment } = await makeWorkspace();
    const other = createServer();
    await new Promise<void>((listening) => other.listen(0, "127.0.0.1", listening));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    const api = start({ ...environment, PORT: port });
    expect(await api.ended).toBe(2);
    expect(api.log()).toContain(`cannot listen on 127.0.0.1:${port}`);
    other.close();
  });

  it("says what is wrong with its settings, and exits with 2", async () => {
    const { environment } = await makeWorkspace();
    const api = start({ ...environment, PORT: "eighty" });
    expect(await api.ended).toBe(2);
    expect(api.log()).toContain("INVALID_SETTINGS");
  });
});
