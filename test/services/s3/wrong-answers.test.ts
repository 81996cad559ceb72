import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { pipeline, start, type Ended } from "../../cli/command.js";
import { HEADER, LINE } from "../../end-to-end/failing.js";
import { TEST_S3 } from "../../place.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../../run/running.js";
import { hashesOf, putFile, removeFile } from "../../storage.js";
import { until } from "../../until.js";
import { makeFolder, makeWorkspace, type Workspace } from "../../workspace.js";
import { startNginx } from "../servers.mjs";
import { startFaultyProxy, type Answer, type Fault } from "./faulty-proxy.js";

interface Asked {
  readonly method: string;
  readonly url: string;
  /** The size of the body. */
  readonly bytes: number;
  readonly isCopy: boolean;
}

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace({}, "minio+sqlite");
  const { settings } = workspace;
  await putVouchers(settings.zones.raw, times(2, voucher()));
  await run(settings);
  await putVouchers(settings.zones.raw, [voucher({ country_code: "Chile" })], "vouchers/news.parquet");
});

const isList = ({ method, url }: Asked) => method === "GET" && url.includes("list-type=2");
const isUploadList = ({ method, url }: Asked) => method === "GET" && /[?&]uploads/.test(url);
const isPut = ({ method, isCopy }: Asked) => method === "PUT" && !isCopy;

const inBody =
  (pattern: RegExp, replacement: string) =>
  (answer: Answer): Answer => ({ ...answer, body: answer.body.replaceAll(pattern, replacement) });

function withoutEtag(answer: Answer): Answer {
  const headers = Object.entries(answer.headers).filter(([name]) => name !== "etag");
  return { ...answer, headers: Object.fromEntries(headers) };
}

/** As nginx says it. */
function tooLarge(answer: Answer): Answer {
  const body = "<html><head><title>413 Request Entity Too Large</title></head></html>";
  return { ...answer, headers: { "content-type": "text/html" }, status: 413, body };
}

/** As a proxy that wants a password says it. */
function page(answer: Answer): Answer {
  return { ...answer, status: 200, body: "<html>Please log in.</html>\r\n" };
}

function shorter(answer: Answer): Answer {
  const bytes = Number(answer.headers["content-length"]) - 100;
  return { ...answer, headers: { ...answer.headers, "content-length": bytes.toString() } };
}

/** A server that copies without a look at the condition of the copy. */
function copied({ status, headers, body }: Answer): Answer {
  if (status !== 412) return { status, headers, body };
  const etag = '"0123456789abcdef0123456789abcdef"';
  return { status: 200, headers, body: `<CopyObjectResult><ETag>${etag}</ETag></CopyObjectResult>` };
}

/**
 * A server whose lists go on for ever: the answer that `change` makes of the true one for the first page, and of that for all
 * others, whose tokens the true server would refuse.
 */
function endless(change: (page: Answer) => Answer): (asked: Asked) => Fault {
  const firstPages = new Map<string | null, Answer>();
  return (asked) => {
    if (!isList(asked)) return undefined;
    const { searchParams } = new URL(asked.url, "http://s3");
    return (answer) => {
      const prefix = searchParams.get("prefix");
      if (!searchParams.has("continuation-token")) firstPages.set(prefix, answer);
      return change(firstPages.get(prefix) ?? answer);
    };
  };
}

const goesOn = (token: string) =>
  inBody(
    /<IsTruncated>false<\/IsTruncated>/g,
    `<IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>`,
  );

async function proxied(faultOf: (asked: Asked) => Fault): Promise<Record<string, string>> {
  const endpoint = await startFaultyProxy(({ method = "", url = "", headers }) =>
    faultOf({
      method,
      url,
      bytes: Number(headers["content-length"] ?? 0),
      isCopy: headers["x-amz-copy-source"] !== undefined,
    }),
  );
  return { ...workspace.environment, AWS_ENDPOINT_URL_S3: endpoint };
}

function faultOf({ stderr }: Ended): { code: string; message: string } {
  return (JSON.parse(stderr) as { error: { code: string; message: string } }).error;
}

/** Every file of the zones that a run writes, staged files included. */
async function visible(): Promise<unknown> {
  const { curated, provision } = workspace.settings.zones;
  return [await hashesOf(curated), await hashesOf(provision)];
}

describe("an S3 with wrong responses", () => {
  it.each<[string, (asked: Asked) => Fault, string, RegExp]>([
    [
      "gives no ETags for what is written",
      (asked) => (isPut(asked) ? withoutEtag : undefined),
      "ZONE_NOT_USABLE",
      /without an ETag/,
    ],
    [
      "gives no ETags in lists",
      (asked) => (isList(asked) ? inBody(/<ETag>.*?<\/ETag>/g, "") : undefined),
      "ZONE_NOT_USABLE",
      /no ETag for .* in its lists/,
    ],
    [
      "gives other ETags in lists",
      (asked) => (isList(asked) ? inBody(/<ETag>.*?<\/ETag>/g, '<ETag>"another"</ETag>') : undefined),
      "ZONE_NOT_USABLE",
      /gives .* the ETags .*"another"/,
    ],
    [
      "gives no ETags for copies",
      ({ isCopy }) => (isCopy ? inBody(/<ETag>.*?<\/ETag>/g, "") : undefined),
      "ZONE_NOT_USABLE",
      /no ETag for the copy/,
    ],
    [
      "lets a proxy refuse bodies",
      (asked) => (isPut(asked) && asked.bytes > 500 ? tooLarge : undefined),
      "ZONE_NOT_USABLE",
      /refuses requests of this size.*client_max_body_size/,
    ],
    [
      "cuts off lists without a token",
      (asked) => (isList(asked) ? inBody(/<IsTruncated>false/g, "<IsTruncated>true") : undefined),
      "STORAGE_FAILED",
      /truncates a list without a continuation token/,
    ],
    [
      "gives the same token for ever",
      endless(goesOn("t")),
      "STORAGE_FAILED",
      /repeats the same keys|never ends/,
    ],
  ])("that %s is a fault in runs and in the doctor", async (_fault, fault, code, words) => {
    const before = await visible();
    const environment = await proxied(fault);
    const [failed, doctor] = await Promise.all([
      pipeline(["-e", EXECUTION_DATE, "--json"], environment),
      pipeline(["doctor"], environment),
    ]);
    expect(faultOf(failed)).toMatchObject({ code, message: expect.stringMatching(words) as unknown });
    expect(doctor.stdout).toMatch(words);
    const expected = code === "ZONE_NOT_USABLE" ? 2 : 4;
    expect([failed.code, doctor.code]).toEqual([expected, expected]);
    expect(await visible()).toEqual(before);
  });

  it.each<[string, (asked: Asked) => Fault, RegExp]>([
    [
      "sends a page instead of a raw file",
      ({ method, url }) => (method === "GET" && url.includes("extra.csv") ? page : undefined),
      /sends 29 bytes of .*extra\.csv, which has 1\d\d in its lists/,
    ],
    [
      "tells another size of a raw file than its lists",
      ({ method, url }) => (method === "HEAD" && url.includes("news.parquet") ? shorter : undefined),
      /gives .*news\.parquet the sizes .* although the object did not change/,
    ],
    [
      "tells another size of a staged file than was written",
      ({ method, url }) => (method === "HEAD" && url.includes("_staging") ? shorter : undefined),
      /cannot read .* after writing it/,
    ],
  ])("that %s is at fault, and not the data", async (_fault, fault, words) => {
    const { raw } = workspace.settings.zones;
    await putFile(raw, "vouchers/extra.csv", `${HEADER}\n${LINE}\n`);
    const before = await visible();
    const failed = await pipeline(["-e", EXECUTION_DATE, "--json"], await proxied(fault));
    expect(faultOf(failed)).toMatchObject({
      code: "STORAGE_FAILED",
      message: expect.stringMatching(words) as unknown,
    });
    expect(await visible()).toEqual(before);
    await removeFile(raw, "vouchers/extra.csv");
  });

  it("behind an nginx that refuses parts of large files is a fault in the doctor only", async () => {
    const target = TEST_S3?.endpoint ?? "";
    const nginx = await startNginx({
      directory: path.join(await makeFolder(), "nginx"),
      site: `
        client_max_body_size 8m;
        proxy_http_version 1.1;
        # Signatures of S3 cover it.
        proxy_set_header Host $http_host;
        location / { proxy_pass ${target}; }`,
    });
    const environment = { ...workspace.environment, AWS_ENDPOINT_URL_S3: nginx.endpoint };
    try {
      const [doctor, ended] = await Promise.all([
        pipeline(["doctor"], environment),
        pipeline(["-e", "2020-05-27"], environment),
      ]);
      expect(doctor.stdout).toMatch(/^✗ failed +writing curated .*client_max_body_size/m);
      expect([doctor.code, ended.code]).toEqual([2, 0]);
    } finally {
      await nginx.stop();
    }
  });

  it("that copies any object, cannot list uploads, and gives no ETags to HEAD is usable, with warnings", async () => {
    const environment = await proxied((asked) => {
      if (asked.isCopy) return copied;
      if (asked.method === "HEAD") return withoutEtag;
      return isUploadList(asked) ? { status: 501, code: "NotImplemented" } : undefined;
    });
    const doctor = await pipeline(["doctor"], environment);
    expect(doctor.stdout).toMatch(
      /✓ ok +writing curated .*CopySourceIfMatch.*cannot list unfinished uploads/,
    );
    expect(doctor.code).toBe(0);
    const ended = await pipeline(["-e", "2020-05-28"], environment);
    expect(ended.stderr).toMatch(/warning: .*CURATED_ZONE.* cannot list unfinished uploads.*NotImplemented/);
    expect(ended.code).toBe(0);
  });

  it("that gives new keys forever does not delay a signal", async () => {
    let pages = 0;
    const environment = await proxied(
      endless((page) => {
        pages += 1;
        const news = `<Contents><Key>$1${pages.toString()}.csv</Key><Size>1</Size><ETag>e</ETag></Contents>`;
        return goesOn(pages.toString())(inBody(/<Prefix>(.*?)<\/Prefix>/g, `$&${news}`)(page));
      }),
    );
    const command = start(["-e", EXECUTION_DATE], environment);
    await until(() => pages >= 20);
    const signalled = performance.now();
    command.kill("SIGTERM");
    const { code } = await command.ended;
    expect(code).toBe(143);
    expect(performance.now() - signalled).toBeLessThan(10_000);
  });
});

describe("an endpoint that only a profile names", () => {
  it("is used by runs and by the doctor", async () => {
    const {
      AWS_ENDPOINT_URL_S3: endpoint = "",
      AWS_ACCESS_KEY_ID: id = "",
      AWS_SECRET_ACCESS_KEY: secret = "",
      ...environment
    } = workspace.environment;
    const config = path.join(await makeFolder(), "config");
    await writeFile(
      config,
      `[profile lake]\nservices = own\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n` +
        `[services own]\ns3 =\n  endpoint_url = ${endpoint}\n`,
    );
    const changed = { ...environment, AWS_CONFIG_FILE: config, AWS_PROFILE: "lake" };
    const [ended, doctor] = await Promise.all([
      pipeline(["-e", EXECUTION_DATE], changed),
      pipeline(["doctor"], changed),
    ]);
    expect([ended.code, doctor.code]).toEqual([0, 0]);
  });
});
