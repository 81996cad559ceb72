import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { readSettings } from "../../src/settings/settings.js";
import { assertBucketNames, connectS3, type S3Connection } from "../../src/zones/s3-client.js";
import { makeFolder } from "../workspace.js";

const variables = ["AWS_CONFIG_FILE", "AWS_PROFILE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"];

afterEach(() => {
  for (const name of variables) Reflect.deleteProperty(process.env, name);
});

const connect = async (environment: Record<string, string>): Promise<S3Connection> => {
  const connection = await connectS3(readSettings({ RAW_ZONE: "s3://lake/raw", ...environment }).s3);
  connection.client.destroy();
  return connection;
};

/** Has the SDK find a text as the AWS configuration of this user. */
async function configure(text: string): Promise<void> {
  process.env["AWS_CONFIG_FILE"] = path.join(await makeFolder(), "config");
  await writeFile(process.env["AWS_CONFIG_FILE"], text);
}

describe("a connection to S3", () => {
  it("reaches an endpoint by the path of its URLs, and AWS by its host names, by default", async () => {
    const REGION = { AWS_REGION: "eu-west-1" };
    const style = async (environment: Record<string, string>) =>
      (await connect({ ...REGION, ...environment })).urlStyle;
    expect(await style({ AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9000" })).toBe("path");
    expect(await style({})).toBe("vhost");
    expect(await style({ AWS_ENDPOINT_URL: "https://s3.example.org", S3_URL_STYLE: "vhost" })).toBe("vhost");
    expect(await style({ S3_URL_STYLE: "path" })).toBe("path");
  });

  it.each([
    ["endpoint_url of a profile", "[default]\nendpoint_url = http://10.0.0.5:9000/\n"],
    [
      "endpoint_url of the services of a profile",
      "[default]\nservices = lake\nendpoint_url = http://10.0.0.6\n[services lake]\ns3 =\n  endpoint_url = http://10.0.0.5:9000\n",
    ],
  ])("has the %s for both DuckDB and the SDK", async (_what, text) => {
    await configure(text);
    const { client, endpoint, region, urlStyle } = await connect({});
    expect([endpoint, region, urlStyle]).toEqual(["http://10.0.0.5:9000", "us-east-1", "path"]);
    expect(await client.config.endpoint?.()).toMatchObject({ hostname: "10.0.0.5", port: 9000 });
  });

  it("has the endpoint and the region of the selected profile", async () => {
    await configure(
      "[default]\nregion = eu-west-1\n[profile lake]\nregion = garage\nendpoint_url = https://s3.example.org\n",
    );
    expect(await connect({})).toMatchObject({ endpoint: undefined, region: "eu-west-1", urlStyle: "vhost" });
    process.env["AWS_PROFILE"] = "lake";
    expect(await connect({})).toMatchObject({ endpoint: "https://s3.example.org", region: "garage" });
    expect(await connect({ AWS_ENDPOINT_URL_S3: "http://10.0.0.7" })).toMatchObject({
      endpoint: "http://10.0.0.7",
    });
  });

  it("ignores all configured endpoints, if the setting requires it", async () => {
    await configure("[default]\nregion = eu-west-1\nendpoint_url = http://10.0.0.5:9000\n");
    process.env["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
    const ignoring = { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true", AWS_ENDPOINT_URL: "http://10.0.0.6" };
    expect(await connect(ignoring)).toMatchObject({ endpoint: undefined, region: "eu-west-1" });
  });

  it("has the host of AWS that the SDK uses for FIPS, also for DuckDB", async () => {
    await configure("[default]\nregion = us-east-1\nuse_fips_endpoint = true\n");
    expect((await connect({})).endpoint).toBe("https://s3-fips.us-east-1.amazonaws.com");
  });

  it.each([
    ["has a path", "endpoint_url = http://10.0.0.5/s3"],
    ["is no URL", "endpoint_url = localhost:9000"],
    ["holds keys", "endpoint_url = http://key:hidden-secret@10.0.0.5"],
    ["goes with FIPS", "endpoint_url = http://10.0.0.5\nuse_fips_endpoint = true"],
  ])("refuses an endpoint of a profile that %s", async (_fault, text) => {
    await configure(`[default]\n${text}\n`);
    const refused = expect(connect({})).rejects;
    await refused.toMatchObject({
      code: "INVALID_SETTINGS",
      message: expect.not.stringContaining("hidden-secret"),
    });
  });

  it("names the setting to set if no region is known", async () => {
    await configure("");
    await expect(connect({})).rejects.toMatchObject({
      code: "INVALID_SETTINGS",
      message: expect.stringContaining("Set AWS_REGION"),
    });
  });
});

describe("a proxy in the environment", () => {
  const HTTP = { AWS_ENDPOINT_URL_S3: "http://lake.example.org:9000" };
  const HTTPS = { AWS_ENDPOINT_URL_S3: "https://lake.example.org" };
  const PROXY = "http://user:hidden-secret@proxy:3128";

  it.each([
    ["HTTP_PROXY", HTTP],
    ["http_proxy", HTTP],
    ["ALL_PROXY", HTTP],
    ["HTTPS_PROXY", HTTPS],
    ["https_proxy", HTTPS],
    ["all_proxy", HTTPS],
  ])("for S3 by %s is refused, with the setting to change", async (variable, endpoint) => {
    const refused = expect(connect({ ...endpoint, [variable]: PROXY })).rejects;
    await refused.toMatchObject({
      code: "INVALID_SETTINGS",
      message: expect.stringMatching(new RegExp(`^${variable} .*add lake.example.org to NO_PROXY`)),
    });
    await expect(connect({ ...endpoint, [variable]: PROXY })).rejects.not.toThrow("hidden-secret");
  });

  it("for the other scheme does not matter", async () => {
    await expect(connect({ ...HTTP, HTTPS_PROXY: PROXY })).resolves.toBeDefined();
    await expect(connect({ ...HTTPS, HTTP_PROXY: PROXY })).resolves.toBeDefined();
  });

  it.each([
    ["lake.example.org", "*"],
    ["lake.example.org", "other, LAKE.example.org"],
    ["lake.example.org", ".example.org"],
    ["lake.example.org", "example.org"],
    ["10.1.2.3", "10.1.2.3"],
    ["10.1.2.3", "10.0.0.0/8"],
    ["[fd00::5]", "fd00::/8"],
  ])("does not matter for %s with NO_PROXY=%s", async (host, list) => {
    const environment = { AWS_ENDPOINT_URL_S3: `http://${host}:9000`, HTTP_PROXY: PROXY, NO_PROXY: list };
    await expect(connect(environment)).resolves.toBeDefined();
  });

  it.each([
    ["lake.example.org", "ample.org"],
    ["lake.example.org", "lake"],
    ["lake.example.org", "*.example.org"],
    ["10.1.2.3", "10.1.2"],
    ["10.1.2.3", "11.0.0.0/8"],
    ["10.1.2.3", "10.1.2.3/99"],
    ["10.1.2.3", "fd00::/8"],
  ])("matters for %s with NO_PROXY=%s", async (host, list) => {
    const environment = { AWS_ENDPOINT_URL_S3: `http://${host}:9000`, HTTP_PROXY: PROXY, NO_PROXY: list };
    await expect(connect(environment)).rejects.toMatchObject({ code: "INVALID_SETTINGS" });
  });
});

describe("the name of a bucket", () => {
  it("may be an old one in the path of URLs, and otherwise must fit into a host name", () => {
    const path = { urlStyle: "path" } as S3Connection;
    const vhost = { urlStyle: "vhost" } as S3Connection;
    for (const bucket of ["my_bucket", "MyBucket", `${"long-".repeat(20)}name`]) {
      expect(() => {
        assertBucketNames(path, [`s3://${bucket}/raw`]);
      }).not.toThrow();
      expect(() => {
        assertBucketNames(vhost, ["s3://lake", `s3://${bucket}/raw`]);
      }).toThrow(`the bucket name ${bucket} is not a valid host name`);
    }
  });
});
