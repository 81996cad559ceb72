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

describe("what browsers are told", () => {
  it.each(["/", "/openapi.json", "/metrics", "/nothing", "/readyz", "/%"])(
    "stands in the answer to %s",
    async (address) => {
      const { headers } = await fetch(plain.url + address);
      expect(Object.fromEntries(headers)).toMatchObject(SECURITY);
      expect(headers.get("x-powered-by")).toBeNull();
    },
  );

  it("stands in the answer to what is no HTTP", async () => {
    const { socket, ended } = await connectTo(plain.port);
    socket.write("no HTTP\r\n\r\n");
    expect(await ended).toContain("\r\nX-Content-Type-Options: nosniff\r\n");
  });

  it.each(["/docs/", "/docs/index.html"])("lets the page at %s load what is its own", async (address) => {
    const { headers } = await fetch(plain.url + address, { redirect: "manual" });
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
        "connect-src 'self'; frame-ancestors 'none'",
    );
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });
});

describe("pages of other origins", () => {
  const ORIGIN = "https://shop.example.org";
  const askFrom = (url: string, origin: string, init: RequestInit = {}) =>
    fetch(url, { ...init, headers: { Origin: origin, "Access-Control-Request-Method": "GET" } });

  it("may read nothing unless settings say so", async () => {
    const { headers } = await askFrom(plain.url, ORIGIN);
    expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect((await askFrom(plain.url, ORIGIN, { method: "OPTIONS" })).status).toBe(405);
  });

  it("may read answers where their origin is named", async () => {
    const { headers } = await askFrom(await serveTo([ORIGIN, "https://a.org"]), ORIGIN);
    expect(headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(headers.get("vary")).toContain("Origin");
    expect(headers.get("access-control-expose-headers")?.split(",")).toEqual(
      expect.arrayContaining(["ETag", "Publication-Execution-Date", "Retry-After", "X-Request-Id"]),
    );
    expect(headers.get("access-control-allow-credentials")).toBeNull();
  });

  it("may read nothing where another origin is named", async () => {
    const { headers } = await askFrom(await serveTo([ORIGIN]), "https://evil.example.org");
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });

  it("may all read answers where * is set", async () => {
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
