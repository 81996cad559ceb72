import { beforeAll, describe, expect, it } from "@jest/globals";
import { makeWorkspace } from "../../workspace.js";
import { serve, type ServedApi } from "../serving.js";
import { connectTo } from "../sockets.js";

const SECURITY = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

let plain: ServedApi;

beforeAll(async () => {
  plain = await serve((await makeWorkspace()).settings);
});

async function serveTo(corsOrigins: readonly string[] | "*"): Promise<string> {
  const { settings } = await makeWorkspace();
  return (await serve({ ...settings, api: { ...settings.api, corsOrigins } })).url;
}

describe("the headers for browsers", () => {
  it.each(["/", "/openapi.json", "/metrics", "/nothing", "/readyz", "/%"])(
    "are in the response to %s",
    async (address) => {
      const { headers } = await fetch(plain.url + address);
      expect(Object.fromEntries(headers)).toMatchObject(SECURITY);
      expect(headers.get("x-powered-by")).toBeNull();
    },
  );

  it("are in the response to invalid HTTP", async () => {
    const { socket, ended } = await connectTo(plain.port);
    socket.write("no HTTP\r\n\r\n");
    expect(await ended).toContain("\r\nX-Content-Type-Options: nosniff\r\n");
  });

  it.each(["/docs/", "/docs/index.html"])("let the page at %s load its own files", async (address) => {
    const { headers } = await fetch(plain.url + address, { redirect: "manual" });
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
        "connect-src 'self'; frame-ancestors 'none'",
    );
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });
});

describe("a response with a problem", () => {
  const HTML = "text/html,application/xhtml+xml,*/*;q=0.8";
  const ADDRESSES: [string, number][] = [
    ["/nothing", 404],
    ["/nothing<b>", 404],
    ["/v1/nothing", 404],
    ["/v1/answers?colour=red", 400],
    ["/v1/tables/%FF", 400],
    ["/assets/nothing", 404],
    ["/docs/nothing", 404],
    ["/readyz", 503],
    ["/problems/nothing", 404],
  ];

  it.each(ADDRESSES)("is a page for a browser at %s", async (address, status) => {
    const response = await fetch(plain.url + address, { headers: { accept: HTML } });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toMatch(/^text\/html/);
    expect(response.headers.get("content-security-policy")).toContain("style-src 'self'");
    const text = await response.text();
    expect(text).toMatch(/^<!doctype html><html lang="en">.*<h1>[A-Z].*<a href="\/">/);
    expect(text).not.toContain("<b>");
  });

  it.each(ADDRESSES)("is a problem document for a program at %s", async (address, status) => {
    const response = await fetch(plain.url + address);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    const { help } = (await response.json()) as { help: string };
    expect(await (await fetch(plain.url + help)).json()).toMatchObject({
      status,
      meaning: expect.any(String),
    });
  });

  it.each<[string, Record<string, string>, number]>([
    ["asks for a part that the file has not", { range: "bytes=99999999-" }, 416],
    ["expects another file", { "if-match": '"x"' }, 412],
  ])("explains the fault of a request that %s", async (_what, headers, status) => {
    const response = await fetch(`${plain.url}/docs/start.js`, { headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ status });
  });

  it.each([
    ["no Host", "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
    ["two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", 400],
    ["one Host twice", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\nConnection: close\r\n\r\n", 400],
    ["an expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nConnection: close\r\n\r\n", 417],
    ["the method CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405],
  ])("explains the fault of a request with %s", async (_what, request, status) => {
    const { socket, ended } = await connectTo(plain.port);
    socket.write(request);
    const answer = await ended;
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status.toString()} `));
    expect(answer).toContain("application/problem+json");
    expect(answer).toContain(`"status":${status.toString()}`);
  });

  it("has a link to a page with the meaning of its type", async () => {
    const text = await (
      await fetch(`${plain.url}/problems/key-missing`, { headers: { accept: HTML } })
    ).text();
    expect(text).toContain("<code>Authorization: Bearer &lt;key&gt;</code>");
  });
});

describe("pages of other origins", () => {
  const ORIGIN = "https://shop.example.org";
  const askFrom = (url: string, origin: string, init: RequestInit = {}) =>
    fetch(url, { ...init, headers: { Origin: origin, "Access-Control-Request-Method": "GET" } });

  it("may read nothing by default", async () => {
    const { headers } = await askFrom(plain.url, ORIGIN);
    expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect((await askFrom(plain.url, ORIGIN, { method: "OPTIONS" })).status).toBe(405);
  });

  it("may read answers if their origin is in the setting", async () => {
    const { headers } = await askFrom(await serveTo([ORIGIN, "https://a.org"]), ORIGIN);
    expect(headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(headers.get("vary")).toContain("Origin");
    expect(headers.get("access-control-expose-headers")?.split(",")).toEqual(
      expect.arrayContaining(["ETag", "Publication-Execution-Date", "Retry-After", "X-Request-Id"]),
    );
    expect(headers.get("access-control-allow-credentials")).toBeNull();
  });

  it("may read nothing if another origin is in the setting", async () => {
    const { headers } = await askFrom(await serveTo([ORIGIN]), "https://evil.example.org");
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });

  it("may all read answers if * is set", async () => {
    const { headers } = await askFrom(await serveTo("*"), "https://any.example.org");
    expect(headers.get("access-control-allow-origin")).toBe("*");
  });

  it("may ask first what they may send", async () => {
    const url = await serveTo([ORIGIN]);
    const response = await fetch(`${url}/v1/vouchers/most-used`, {
      method: "OPTIONS",
      headers: {
        Origin: ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
      },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-methods")).toBe("GET,HEAD,POST");
    expect(response.headers.get("access-control-allow-headers")).toBe("authorization,content-type");
    expect(response.headers.get("access-control-max-age")).toBe("600");
  });
});
