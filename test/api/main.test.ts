import { createServer } from "node:http";
import { connect } from "node:net";
import { describe, expect, it } from "@jest/globals";
import { makeWorkspace } from "../workspace.js";
import { startApi } from "./process.js";

describe("the api as a process", () => {
  it("answers, logs a request without the customer in it, and ends after a signal", async () => {
    const { environment } = await makeWorkspace();
    const api = startApi(environment);
    const port = await api.port;
    const response = await fetch(`http://127.0.0.1:${port}/?customer=secret`);
    expect(await response.text()).toBe('{"Hello":"World!!"}');
    api.child.kill("SIGTERM");
    expect(await api.ended).toBe(0);
    expect(api.log()).toContain('"path":"/"');
    expect(api.log()).not.toContain("secret");
  });

  it("ends even if an idle connection is open", async () => {
    const { environment } = await makeWorkspace();
    const api = startApi(environment);
    const socket = connect(await api.port, "127.0.0.1");
    await new Promise((resolve) => socket.on("connect", resolve));
    socket.on("error", () => undefined);
    api.child.kill("SIGTERM");
    expect(await api.ended).toBe(0);
  });

  it("reports an address at which it cannot listen, and exits with 2", async () => {
    const { environment } = await makeWorkspace();
    const other = createServer();
    await new Promise<void>((listening) => other.listen(0, "127.0.0.1", listening));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    const api = startApi({ ...environment, PORT: port });
    expect(await api.ended).toBe(2);
    expect(api.log()).toContain(`cannot listen on 127.0.0.1:${port}`);
    other.close();
  });

  it("reports invalid settings, and exits with 2", async () => {
    const { environment } = await makeWorkspace();
    const api = startApi({ ...environment, PORT: "eighty" });
    expect(await api.ended).toBe(2);
    expect(api.log()).toContain("INVALID_SETTINGS");
  });
});
