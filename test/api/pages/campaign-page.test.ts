import { existsSync, statSync } from "node:fs";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { hashOfApiKey } from "../../../src/settings/api-key-hash.js";
import type { Settings } from "../../../src/settings/settings.js";
import { voucher } from "../../raw-vouchers.js";
import { runOver } from "../../run/running.js";
import { until } from "../../until.js";
import { makeFolder, makeWorkspace } from "../../workspace.js";
import { serve, type ServedApi } from "../serving.js";

const HTML = { Accept: "text/html" };
const FILE = "country_code,total_orders,note\nPeru,7,=1+1\nPeru,many,-5\n";

let api: ServedApi;
let settings: Settings;

beforeAll(async () => {
  ({ settings } = await runOver([voucher()]));
  api = await serve(settings);
});

interface Sending {
  readonly url?: string;
  readonly headers?: Record<string, string>;
  readonly fields?: Record<string, string>;
}

async function send(
  file: string | undefined,
  { url = api.url, headers = {}, fields }: Sending = {},
): Promise<Response> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields ?? { segment_name: "frequent_segment", fallback: "" }))
    body.set(name, value);
  if (file !== undefined) body.set("file", new File([file], "customers.csv"));
  return fetch(`${url}/campaign`, {
    method: "POST",
    body,
    headers: { ...HTML, ...headers },
    redirect: "manual",
  });
}

async function pageOf(
  address: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const response = await fetch(address, { headers: { ...HTML, ...headers } });
  return { status: response.status, text: await response.text() };
}

function addressIn(response: Response, url = api.url): string {
  expect(response.status).toBe(303);
  return url + (response.headers.get("location") ?? "");
}

describe("the page of campaigns", () => {
  it("has a plain form, the format of a file, and how a program has it priced", async () => {
    const { status, text } = await pageOf(`${api.url}/campaign`);
    expect(status).toBe(200);
    expect(text).toContain("<h1>Price a campaign</h1>");
    expect(text).toContain('<form method="post" action="/campaign" enctype="multipart/form-data"');
    expect(text).not.toContain("<script");
    for (const column of ["country_code", "segment_name", "total_orders", "last_order_ts"])
      expect(text).toContain(`<dt><code>${column}</code></dt>`);
    expect(text).toContain("curl --upload-file customers.csv");
    expect(text).toContain(`'${api.url}/v1/campaigns/price?execution_date=2020-05-29'`);
    expect(text).not.toContain("Authorization");
  });

  it("stands in the menu", async () => {
    expect((await pageOf(api.url)).text).toContain('<a href="/campaign">Price a campaign</a>');
  });

  it("says that nothing is published yet", async () => {
    const empty = await serve((await makeWorkspace()).settings);
    expect((await pageOf(`${empty.url}/campaign`)).text).toContain("Nothing is published yet");
    expect(await (await send(FILE, { url: empty.url })).text()).toContain("Nothing is published yet");
  });
});

describe("a file that is sent by the form", () => {
  it("has a page with its result, and comes back for a spreadsheet", async () => {
    const address = addressIn(await send(FILE));
    const { status, text } = await pageOf(address);
    expect(status).toBe(200);
    expect(text).toContain("The campaign costs 2,640");
    expect(text).toContain("total_orders “many” must be a whole number");
    const file = await fetch(`${address}/priced.csv`);
    expect(file.headers.get("content-disposition")).toBe("attachment; filename=customers-priced.csv");
    expect(file.headers.get("cache-control")).toBe("no-store");
    const priced = await fetch(`${api.url}/v1/campaigns/price?segment_name=frequent_segment`, {
      method: "POST",
      body: FILE,
      headers: { "content-type": "text/csv" },
    });
    expect(await file.text()).toBe((await priced.text()).replace("=1+1", "'=1+1"));
  });

  it("is stored where only the service reads it, and is removed when it is priced", async () => {
    const id =
      addressIn(await send(FILE))
        .split("/")
        .at(-1) ?? "";
    expect(id).toMatch(/^[\w-]{22}$/);
    const folders = (await readdir(os.tmpdir()))
      .filter((name) => name.startsWith("voucher-campaigns-"))
      .map((name) => path.join(os.tmpdir(), name));
    const folder = folders.find((name) => existsSync(path.join(name, `${id}.csv`))) ?? "";
    const modes = [folder, path.join(folder, `${id}.csv`)].map((place) => statSync(place).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600]);
    expect(await readdir(folder)).not.toContain(id);
  });

  it("of a process that is dead is removed by the next one", async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "voucher-campaigns-"));
    await utimes(folder, 0, 0);
    const kept = await mkdtemp(path.join(os.tmpdir(), "voucher-campaigns-"));
    const { url } = await serve(settings);
    await send(FILE, { url });
    await until(() => !existsSync(folder));
    expect(existsSync(kept)).toBe(true);
    await rm(kept, { recursive: true });
  });

  it("gets the reason if it cannot be priced", async () => {
    const { status, text } = await pageOf(addressIn(await send("name\n1\n")));
    expect(status).toBe(400);
    expect(text).toContain("The file cannot be priced");
    expect(text).toContain("country_code");
  });

  it.each([
    ["no file", undefined, {}, 400, "Choose a file of customers."],
    ["an option that is wrong", FILE, { min_assignments: "0" }, 400, "min_assignments"],
    ["an option that is not known", FILE, { colour: "red" }, 400, "colour"],
  ])("with %s is refused by a page", async (_what, file, fields, status, words) => {
    const response = await send(file, { fields });
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(words);
  });

  it("of another kind than a form is refused by a page", async () => {
    const response = await fetch(`${api.url}/campaign`, {
      method: "POST",
      body: FILE,
      headers: { ...HTML, "content-type": "text/csv" },
    });
    expect(response.status).toBe(415);
    const broken = await fetch(`${api.url}/campaign`, {
      method: "POST",
      body: "--x\r\nContent-Disposition: form-data; name=file; filename=a.csv\r\n\r\nabc",
      headers: { ...HTML, "content-type": "multipart/form-data; boundary=x" },
    });
    expect([broken.status, await broken.text()]).toEqual([
      400,
      expect.stringContaining("The form cannot be read."),
    ]);
  });

  it.each([
    [{ "Sec-Fetch-Site": "cross-site" }, 400],
    [{ "Sec-Fetch-Site": "same-site" }, 400],
    [{ "Sec-Fetch-Site": "same-origin" }, 303],
    [{ Origin: "https://evil.example" }, 400],
    [{ Origin: "null" }, 400],
    [{}, 303],
  ])("with the headers %j gets %d: only the own page may send it", async (headers, status) => {
    const response = await send(FILE, { headers: headers });
    expect(response.status).toBe(status);
    if (status === 400) expect(await response.text()).toContain("A page of another site has sent this form.");
  });

  it("may come from this origin", async () => {
    expect((await send(FILE, { headers: { Origin: api.url } })).status).toBe(303);
  });
});

describe("an address of a campaign", () => {
  it("that is not here says so, with the way to send it again", async () => {
    const { status, text } = await pageOf(`${api.url}/campaign/AAAAAAAAAAAAAAAAAAAAAA`);
    expect(status).toBe(404);
    expect(text).toContain("This upload is no longer here");
    expect(text).toContain('<a class="button" href="/campaign">Send it again</a>');
    expect((await pageOf(`${api.url}/campaign/AAAAAAAAAAAAAAAAAAAAAA/priced.csv`)).status).toBe(404);
  });

  it("is for the key that sent its file alone", async () => {
    const keysFile = path.join(await makeFolder(), "keys.yaml");
    const keys = ["one", "other"].map(
      (name) => `  - { name: ${name}, sha256: "${hashOfApiKey(name).toString("hex")}" }\n`,
    );
    await writeFile(keysFile, `keys:\n${keys.join("")}`);
    const { url } = await serve({ ...settings, api: { ...settings.api, keysFile } });
    const by = (key: string) => ({ Authorization: `Bearer ${key}` });
    expect((await send(FILE, { url })).status).toBe(401);
    const address = addressIn(await send(FILE, { url, headers: by("one") }), url);
    for (const place of [address, `${address}/priced.csv`]) {
      expect((await pageOf(place, by("one"))).status).toBe(200);
      expect((await pageOf(place, by("other"))).status).toBe(404);
      expect((await pageOf(place)).status).toBe(401);
    }
  });
});
