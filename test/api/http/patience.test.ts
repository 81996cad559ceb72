import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Patience } from "../../../src/api/http/server.js";
import { until } from "../../until.js";
import { makeWorkspace } from "../../workspace.js";
import { serve, type ServedApi } from "../serving.js";
import { connectTo } from "../sockets.js";

const PATIENCE: Patience = { headers: 400, request: 2_000, keepAlive: 300, silence: 1_000 };

let api: ServedApi;

beforeAll(async () => {
  api = await serve((await makeWorkspace()).settings, undefined, PATIENCE);
});

/** Sends a header now and then, so that there is always something to wait for. */
function dribble(socket: { write(text: string): unknown; destroyed: boolean }): NodeJS.Timeout {
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n");
  return setInterval(() => {
    if (!socket.destroyed) socket.write("X: y\r\n");
  }, 50);
}

describe("a client that takes its time", () => {
  it("over its headers gets an error, and is disconnected", async () => {
    const { socket, ended } = await connectTo(api.port);
    const dribbling = dribble(socket);
    const answer = await ended;
    clearInterval(dribbling);
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(answer).toContain("urn:voucher-pipeline:problem:request-too-late");
    expect(answer).toContain("\r\nConnection: close\r\n");
  });

  it("and sends nothing at all is disconnected", async () => {
    const { ended } = await connectTo(api.port);
    expect(await ended).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("over its body gets an error, and is disconnected", async () => {
    const { socket, ended } = await connectTo(api.port);
    socket.write("POST /v1/vouchers/most-used HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n");
    socket.write("Content-Length: 100000\r\n\r\n");
    const dribbling = setInterval(() => socket.write("["), 50);
    const answer = await ended;
    clearInterval(dribbling);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    await until(() => api.underWay.count === 0);
  });

  it("does not make others wait, even if there are many of them", async () => {
    const slow = await Promise.all(Array.from({ length: 200 }, () => connectTo(api.port)));
    const dribbling = slow.map(({ socket }) => dribble(socket));
    const began = performance.now();
    for (let request = 0; request < 20; request += 1) expect((await fetch(api.url)).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(5_000);
    await Promise.all(slow.map(({ ended }) => ended));
    dribbling.forEach(clearInterval);
  });

  it("to read its answers is disconnected", async () => {
    const { socket } = await connectTo(api.port);
    socket.pause();
    socket.write("GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2_000));
    await until(() => api.underWay.count > 0);
    await until(() => api.underWay.count === 0);
    socket.destroy();
  });

  it("and leaves before its turn leaves nothing behind", async () => {
    const own = await serve((await makeWorkspace()).settings);
    const { socket } = await connectTo(own.port);
    socket.pause();
    socket.write("GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2_000));
    await until(() => own.underWay.count > 10);
    socket.destroy();
    await until(() => own.underWay.count === 0);
  });

  it("between two requests is disconnected without a response", async () => {
    const { socket, ended } = await connectTo(api.port);
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await ended).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\{"Hello":"World!!"\}$/);
  });
});

describe("an address", () => {
  const ask = (length: number) => fetch(`${api.url}/?${"a".repeat(length)}`);

  it("of 12 kB is read", async () => {
    expect((await ask(12_000)).status).toBe(200);
  });

  it("of 17 kB is a problem", async () => {
    const response = await ask(17_000);
    expect(response.status).toBe(431);
    expect(await response.json()).toMatchObject({ type: "urn:voucher-pipeline:problem:request-too-large" });
  });
});

describe("the api by default", () => {
  it("keeps a connection for longer than load balancers do, and waits 10 s for headers", async () => {
    const { server } = await serve((await makeWorkspace()).settings);
    expect(server.keepAliveTimeout).toBe(65_000);
    expect(server.headersTimeout).toBe(10_000);
    expect(server.requestTimeout).toBe(600_000);
  });
});
