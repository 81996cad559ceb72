import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { serve } from "../../api/serving.js";
import { times, voucher } from "../../raw-vouchers.js";
import { run, runOver } from "../../run/running.js";
import { makeFolder, PROJECT } from "../../workspace.js";
import { startNginx } from "../servers.mjs";

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

let nginx: Awaited<ReturnType<typeof startNginx>> | undefined;
let site: string;
let certificate: Buffer;

beforeAll(async () => {
  const { settings } = await runOver([
    ...times(3, voucher({ country_code: "Peru", total_orders: "40" })),
    ...times(2, voucher({ country_code: "Chile", total_orders: "2" })),
  ]);
  await run(settings, "2020-05-28");
  const api = await serve({ ...settings, api: { ...settings.api, trustProxy: ["loopback"] } });
  const directory = await makeFolder();
  certificate = await certificateIn(directory);
  const example = await readFile(path.join(PROJECT, "examples/nginx/vouchers.conf"), "utf8");
  nginx = await startNginx({
    directory,
    listen: "ssl",
    site: `ssl_certificate ${directory}/site.pem;
      ssl_certificate_key ${directory}/site.key;
      ${example.replace("http://127.0.0.1:8000", api.url)}`,
  });
  site = nginx.endpoint.replace("http:", "https:");
});

afterAll(() => nginx?.stop());

async function certificateIn(directory: string): Promise<Buffer> {
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=site"],
      ...["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "site.key", "-out", "site.pem"],
    ],
    { cwd: directory, stdio: "ignore" },
  );
  return readFile(path.join(directory, "site.pem"));
}

function ask(address: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(new URL(address, site), { ca: certificate, headers }, (response) => {
      text(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      }, reject);
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** The pages for people. */
const askAsBrowser = (address: string) => ask(address, { accept: "text/html" });

describe("behind an nginx with TLS, below a path", () => {
  it("each link of each page stays below the path, and works", async () => {
    const seen = new Set<string>();
    const waiting = [`${site}/vouchers/`];
    const broken: string[] = [];
    for (let address = waiting.pop(); address !== undefined; address = waiting.pop()) {
      if (seen.has(address)) continue;
      seen.add(address);
      const { status, headers, body } = await askAsBrowser(address);
      const location = headers["location"] as string | undefined;
      if (location !== undefined) waiting.push(new URL(location, address).href);
      else if (status !== 200) broken.push(`${status.toString()} ${address}`);
      if (!address.startsWith(`${site}/vouchers/`)) broken.push(`outside: ${address}`);
      if (!String(headers["content-type"]).startsWith("text/html")) continue;
      for (const [, link = ""] of body.matchAll(/ (?:href|src|action)="([^"]*)"/g))
        if (!/^(#|data:)/.test(link))
          waiting.push(new URL(link.replaceAll("&amp;", "&"), address).href.replace(/#.*/, ""));
    }
    expect(broken).toEqual([]);
    expect(seen.size).toBeGreaterThan(40);
  });

  it("the samples for curl are the addresses that the client can reach", async () => {
    const { body } = await askAsBrowser(
      "/vouchers/customer?country_code=Peru&segment_name=frequent_segment&total_orders=40",
    );
    const [, sample = ""] = /curl '([^']*)'/.exec(body.replaceAll("&amp;", "&")) ?? [];
    expect(sample.startsWith(`${site}/vouchers/v1/vouchers/most-used?`)).toBe(true);
    expect((await ask(sample)).status).toBe(200);
  });

  it("the page of the API sends its requests there", async () => {
    const { servers } = JSON.parse((await ask("/vouchers/openapi.json")).body) as {
      servers: { url: string }[];
    };
    expect(servers).toEqual([{ url: "/vouchers" }]);
  });

  it("an address without its last slash works", async () => {
    for (const address of ["/vouchers", "/vouchers/docs", "/vouchers/docs/data"]) {
      const { headers } = await askAsBrowser(address);
      expect(new URL(String(headers["location"]), new URL(address, site)).href).toBe(`${site}${address}/`);
    }
  });

  it("a problem names the page that explains it", async () => {
    const { body } = await ask("/vouchers/v1/nothing");
    const { help } = JSON.parse(body) as { help: string };
    expect(help).toBe("/vouchers/problems/not-found");
    expect((await ask(help)).status).toBe(200);
  });
});
