import { describe, expect, it } from "@jest/globals";
import { voucher } from "../../raw-vouchers.js";
import { runOver } from "../../run/running.js";
import { until } from "../../until.js";
import { makeWorkspace } from "../../workspace.js";
import { startApi, type Api } from "../process.js";
import { connectTo, type Client } from "../sockets.js";

const BODY = "[]";

async function start(more: Record<string, string> = {}): Promise<{ api: Api; port: number }> {
  const { environment } = await makeWorkspace();
  const api = startApi({ ...environment, ...more });
  return { api, port: await api.port };
}

/** A request whose body is not there to its end yet, and which the api has begun to answer. */
async function beginRequest(port: number): Promise<Client> {
  const client = await connectTo(port);
  client.socket.write(
    "POST /v1/vouchers/most-used HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n",
  );
  client.socket.write(`Content-Length: ${BODY.length.toString()}\r\nExpect: 100-continue\r\n\r\n`);
  await client.heard("100 Continue");
  return client;
}

async function takesNoMore(port: number): Promise<void> {
  await until(() =>
    fetch(`http://127.0.0.1:${port.toString()}/livez`).then(
      () => false,
      () => true,
    ),
  );
}

describe("an api after a signal", () => {
  it("finishes current requests, asks clients to reconnect, and accepts nothing new", async () => {
    const { api, port } = await start();
    const { socket, ended } = await beginRequest(port);
    api.child.kill("SIGTERM");
    await takesNoMore(port);
    socket.write(BODY);
    const answer = await ended;
    expect(answer).toContain("HTTP/1.1 400 Bad Request\r\n");
    expect(answer).toContain("\r\nConnection: close\r\n");
    expect(answer).toContain("urn:voucher-pipeline:problem:invalid-request");
    expect(await api.ended).toBe(0);
  });

  it("is not ready from then on", async () => {
    const { environment } = await runOver([voucher()]);
    const { api, port } = await start(environment);
    const { socket, ended } = await connectTo(port);
    // A request that has begun keeps its connection.
    socket.write("GET /readyz HTTP/1.1\r\n");
    await fetch(`http://127.0.0.1:${port.toString()}/livez`);
    api.child.kill("SIGTERM");
    await takesNoMore(port);
    socket.write("Host: a\r\n\r\n");
    const answer = await ended;
    expect(answer).toContain("HTTP/1.1 503 Service Unavailable\r\n");
    expect(answer).toContain("urn:voucher-pipeline:problem:not-ready");
    expect(answer).toContain("\r\nConnection: close\r\n");
  });

  it("abandons a request that does not end in time", async () => {
    const { api, port } = await start({ API_SHUTDOWN_SECONDS: "1" });
    const { ended } = await beginRequest(port);
    const began = performance.now();
    api.child.kill("SIGTERM");
    await ended;
    expect(await api.ended).toBe(0);
    const milliseconds = performance.now() - began;
    expect(milliseconds).toBeGreaterThan(900);
    expect(milliseconds).toBeLessThan(8_000);
  });

  it("ends at once after a second signal", async () => {
    const { api, port } = await start({ API_SHUTDOWN_SECONDS: "60" });
    await beginRequest(port);
    api.child.kill("SIGTERM");
    await takesNoMore(port);
    api.child.kill("SIGINT");
    expect(await api.ended).toBe(130);
  });

  it("has written the line of every request before its end", async () => {
    const { api, port } = await start();
    const ask = () => fetch(`http://127.0.0.1:${port.toString()}/livez`);
    await Promise.all(Array.from({ length: 50 }, ask));
    api.child.kill("SIGTERM");
    expect(await api.ended).toBe(0);
    expect(api.log().match(/"route":"\/livez","status":200/g)).toHaveLength(50);
  });
});
