import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { openSparkSession } from "../../../src/engine/spark/spark-session.js";
import type { SparkSettings } from "../../../src/settings/settings.js";

const LIMITS = { connect: 300, open: 300, answer: 300, farewell: 100 };
/** What SASL says when it has let somebody in. */
const COMPLETE = Buffer.from([5, 0, 0, 0, 0]);
const ENGINE = { code: "ENGINE_UNAVAILABLE", kind: "unavailable" };

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) server.close();
});

/** A port, and how many connections there were, of a server that does this with each of them. */
async function listen(treat: (socket: Socket) => void): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket.on("error", () => undefined));
    treat(socket);
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

function settingsFor(port: number, changes: Partial<SparkSettings> = {}): SparkSettings {
  const account = { user: "etl", password: "unmistakable" };
  const plain = { tls: false, httpPath: undefined, caBundle: undefined, kerberos: undefined };
  return { kind: "spark", host: "127.0.0.1", port, ...account, ...plain, ...changes };
}

function open(settings: SparkSettings, signal = new AbortController().signal): Promise<unknown> {
  return openSparkSession(settings, signal, LIMITS);
}

describe("opening a session at a Spark", () => {
  it("tries a port that refuses three times, and names it", async () => {
    const { port } = await listen(() => undefined);
    await new Promise((closed) => servers.pop()?.close(closed));
    const start = performance.now();
    await expect(open(settingsFor(port))).rejects.toMatchObject({
      ...ENGINE,
      message: `Spark at 127.0.0.1:${port} is not reachable: connect ECONNREFUSED 127.0.0.1:${port}; run again, or check host, port, tls and transport in ENGINE`,
    });
    expect(performance.now() - start).toBeGreaterThan(1_200);
  });

  it("tries a server that closes the connection three times", async () => {
    const { port, connections } = await listen((socket) => socket.end());
    await expect(open(settingsFor(port))).rejects.toMatchObject(ENGINE);
    expect(connections()).toBe(3);
  });

  it.each([
    ["from the start", () => undefined],
    ["once it has let in", (socket: Socket) => socket.once("data", () => socket.write(COMPLETE))],
  ])("waits for a server that is silent %s no longer than the limit", async (_, treat) => {
    const { port, connections } = await listen(treat);
    const message: unknown = expect.stringContaining("is not reachable: no answer in 0.3 s");
    await expect(open(settingsFor(port))).rejects.toMatchObject({ ...ENGINE, message });
    expect(connections()).toBe(1);
  });

  it("fails at once if the connection is lost meanwhile", async () => {
    const { port } = await listen((socket) => {
      socket.once("data", () => socket.write(COMPLETE, () => socket.once("data", () => socket.destroy())));
    });
    await expect(open(settingsFor(port))).rejects.toMatchObject(ENGINE);
  });

  it("does not try a password twice, and keeps it secret", async () => {
    const refusal = Buffer.concat([Buffer.from([3, 0, 0, 0, 5]), Buffer.from("wrong")]);
    const { port, connections } = await listen((socket) => socket.once("data", () => socket.end(refusal)));
    const failure: unknown = await open(settingsFor(port)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "ENGINE_NOT_USABLE", kind: "usage" });
    expect(String(failure)).not.toContain("unmistakable");
    expect(connections()).toBe(1);
  });

  it("explains to a client of a master, which closes unheard, that it is not the Thrift Server", async () => {
    const { port } = await listen((socket) => socket.end());
    const failure: unknown = await open(settingsFor(port)).catch((error: unknown) => error);
    expect(failure).toMatchObject(ENGINE);
    expect(String(failure)).toContain(
      "ENGINE must name the Thrift Server, usually at port 10000, and not the master",
    );
  });

  it("explains that a server requires Kerberos", async () => {
    const said = Buffer.from("Unsupported mechanism type PLAIN");
    const refusal = Buffer.concat([Buffer.from([3, 0, 0, 0, said.length]), said]);
    const { port } = await listen((socket) => socket.once("data", () => socket.end(refusal)));
    const failure: unknown = await open(settingsFor(port)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "ENGINE_NOT_USABLE" });
    expect(String(failure)).toContain("requires Kerberos; add auth=kerberos to ENGINE");
  });

  it("explains that only one side uses TLS", async () => {
    const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, 40]);
    const { port } = await listen((socket) => socket.once("data", () => socket.end(alert)));
    for (const tls of [true, false]) {
      const failure: unknown = await open(settingsFor(port, { tls })).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "ENGINE_NOT_USABLE" });
      expect(String(failure)).toContain("check tls in ENGINE");
    }
  });

  it("is cancelled while it waits", async () => {
    const controller = new AbortController();
    const { port } = await listen(() => {
      controller.abort();
    });
    await expect(open(settingsFor(port), controller.signal)).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("names an unreadable bundle of authorities", async () => {
    const failure = open(settingsFor(1, { tls: true, caBundle: "/nowhere/authorities.pem" }));
    await expect(failure).rejects.toMatchObject({ code: "INVALID_SETTINGS" });
  });

  it.each(["http", "https"])("cannot reach a port that refuses %s either", async (scheme) => {
    const { port } = await listen(() => undefined);
    await new Promise((closed) => servers.pop()?.close(closed));
    const settings = settingsFor(port, { httpPath: "cliservice", tls: scheme === "https" });
    await expect(open(settings)).rejects.toMatchObject(ENGINE);
  });
});
