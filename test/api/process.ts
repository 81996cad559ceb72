import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterEach } from "@jest/globals";
import { PROJECT } from "../workspace.js";

const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

/** A built api in a process of its own. */
export interface Api {
  readonly child: ChildProcess;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  readonly port: Promise<number>;
  log(): string;
}

/** @param lasts how long it lives: it ends with the test, unless the tests of a file share it and end it themselves. */
export function startApi(
  environment: Record<string, string>,
  lasts: "one test" | "all tests of the file" = "one test",
): Api {
  const child = spawn(process.execPath, commandOfApi(), {
    env: { PATH: process.env["PATH"], ...environment },
  });
  if (lasts === "one test") running.push(child);
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

/** What `npm run api` gives to node: its options, and the program. */
function commandOfApi(): string[] {
  const { scripts } = JSON.parse(readFileSync(path.join(PROJECT, "package.json"), "utf8")) as {
    scripts: { api: string };
  };
  const words = scripts.api.replace("exec sh start.sh ", "").split(" ");
  return [...words.slice(0, -1), path.join(PROJECT, words.at(-1) ?? "")];
}

/** A customer of Peru with few orders who has long not ordered. */
const CUSTOMER = {
  customer_id: 123,
  country_code: "Peru",
  last_order_ts: "2018-05-03 00:00:00",
  first_order_ts: "2017-05-03 00:00:00",
  total_orders: 7,
  segment_name: "frequent_segment",
};

/** What the api answers at an address. */
export async function ask(api: Api, address: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${(await api.port).toString()}${address}`);
}

/** What the api answers for that customer. */
export async function askForVoucher(api: Api): Promise<Response> {
  const query = new URLSearchParams({ customer: JSON.stringify(CUSTOMER) }).toString();
  return ask(api, `/voucher/most-used?${query}`);
}
