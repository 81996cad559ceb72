import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { readSettings } from "../src/settings/settings.js";
import { MAIN } from "./cli/command.js";
import { makeFolder } from "./workspace.js";

const ON_S3 = { RAW_ZONE: "s3://data/zone_01_raw" };
const KEYS = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "top-secret" };

/** The message of the fault that settings have. */
function faultOf(environment: Record<string, string>): string {
  try {
    readSettings(environment);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

const ZONES_ON_S3 = {
  RAW_ZONE: "s3://lake/raw",
  CURATED_ZONE: "s3://lake/cur",
  PROVISION_ZONE: "s3://lake/prov",
};

const FORM_OF_ENGINE =
  "must be duckdb, spark://host:port or hive2://host:port, with user:password@ before the host if it asks for them; " +
  "write @ / # ? and % in them as %40 %2F %23 %3F and %25";

describe("settings from files", () => {
  const written = async (content: string, name = "secret") => {
    const file = path.join(await makeFolder(), name);
    await writeFile(file, content);
    return file;
  };

  it("are the content of the file, without the end of its line", async () => {
    const url = "mysql://user:password@host:3306/db";
    for (const end of ["", "\n", "\r\n"]) {
      const file = await written(`${url}${end}`);
      // An image may have a value of its own, which an empty one takes away.
      for (const own of [{}, { CONSUMPTION_URL: "" }])
        expect(readSettings({ ...own, CONSUMPTION_URL_FILE: file }).consumptionUrl).toBe(url);
    }
  });

  it("exist for every secret", async () => {
    const settings = readSettings({
      RAW_ZONE: "s3://data/raw",
      CURATED_ZONE: "s3://data/curated",
      PROVISION_ZONE: "s3://data/provision",
      ENGINE_FILE: await written("spark://etl:p%40ss@spark:10000\n"),
      NOTIFY_URL_FILE: await written("https://hooks.example.org/a/b\n"),
      OPENLINEAGE_API_KEY_FILE: await written("lineage-key\n"),
      AWS_ACCESS_KEY_ID_FILE: await written("id\n"),
      AWS_SECRET_ACCESS_KEY_FILE: await written("top-secret\n"),
      AWS_SESSION_TOKEN_FILE: await written("token\n"),
    });
    expect(settings).toMatchObject({
      engine: { kind: "spark", host: "spark", password: "p@ss" },
      notifyUrl: "https://hooks.example.org/a/b",
      openLineage: { apiKey: "lineage-key" },
      s3: { credentials: { accessKeyId: "id", secretAccessKey: "top-secret", sessionToken: "token" } },
    });
    expect(Object.keys(settings.secretFiles)).toHaveLength(6);
  });

  it("are refused together with the setting itself, and if the file is missing, empty or a folder", async () => {
    const folder = await makeFolder();
    const faults = faultOf({
      ...ON_S3,
      CONSUMPTION_URL: "sqlite:a.db",
      CONSUMPTION_URL_FILE: await written("sqlite:b.db"),
      NOTIFY_URL_FILE: await written("\n"),
      AWS_SECRET_ACCESS_KEY: "",
      AWS_SECRET_ACCESS_KEY_FILE: path.join(folder, "missing"),
      AWS_ACCESS_KEY_ID: "id",
      AWS_SESSION_TOKEN_FILE: folder,
      OPENLINEAGE_API_KEY_FILE: "",
    });
    expect(faults.split("\n  ").slice(1)).toEqual([
      "CONSUMPTION_URL and CONSUMPTION_URL_FILE are both set: set only one of them",
      "NOTIFY_URL_FILE names a file that is empty",
      "OPENLINEAGE_API_KEY_FILE is empty: it must be the path of a file",
      "AWS_SECRET_ACCESS_KEY_FILE names a file that cannot be read (ENOENT)",
      "AWS_SESSION_TOKEN_FILE names a file that cannot be read (EISDIR)",
    ]);
  });

  it("follow the same rules, with the name of the file's setting in messages, but never the file or its path", async () => {
    const fault = faultOf({
      CONSUMPTION_URL_FILE: await written("postgres://user:top-secret@host/db\n"),
      ENGINE_FILE: "spark://etl:top-secret@spark:10000",
    });
    expect(fault).toContain("  CONSUMPTION_URL from CONSUMPTION_URL_FILE must be sqlite:<file> or mysql://");
    expect(fault).toContain("  ENGINE_FILE names a file that cannot be read (ENOENT)");
    expect(fault).not.toContain("top-secret");
  });

  it("do not matter for S3 if no zone is there", () => {
    expect(faultOf({ AWS_SECRET_ACCESS_KEY_FILE: "/missing" })).toBe("");
  });
});

describe("the settings", () => {
  it("accept zones on S3 together with folders", () => {
    const { zones } = readSettings({
      ...ON_S3,
      CURATED_ZONE: "s3://data/",
      PROVISION_ZONE: "/lake/provision",
    });
    expect(zones).toEqual({
      raw: "s3://data/zone_01_raw",
      curated: "s3://data",
      provision: "/lake/provision",
    });
  });

  it.each([
    "s3://",
    "s3:///x",
    "s3://ab",
    "s3://-data",
    "s3://data//x",
    "s3://data/../x",
    "s3://key:secret@data/x",
    "gs://data/x",
    "http://data",
  ])("refuse the zone %s", (zone) => {
    const fault = faultOf({ RAW_ZONE: zone });
    expect(fault).toContain("RAW_ZONE must be a folder or s3://bucket/prefix");
    expect(fault).not.toContain("secret");
  });

  it("name the broken rule for the name of a bucket or a prefix", () => {
    expect(faultOf({ RAW_ZONE: "s3://ab/x" })).toMatch(/a bucket name has 3 to 255 letters/);
    expect(faultOf({ RAW_ZONE: "s3://data/../x" })).toMatch(
      /the prefix must not contain an empty name, \. or \.\./,
    );
  });

  it.each(["s3://my_bucket/x", "s3://MyBucket", "s3://data-2020.old/a/b"])("take the zone %s", (zone) => {
    expect(readSettings({ RAW_ZONE: zone }).zones.raw).toBe(zone);
  });

  it("leave the keys to the AWS SDK if none, or a profile, are set", () => {
    expect(readSettings(ON_S3).s3.credentials).toBeUndefined();
    expect(readSettings({ ...ON_S3, ...KEYS, AWS_PROFILE: "lake" }).s3.credentials).toBeUndefined();
    expect(readSettings({ ...ON_S3, ...KEYS, AWS_SESSION_TOKEN: "" }).s3.credentials).toEqual({
      accessKeyId: "id",
      secretAccessKey: "top-secret",
    });
  });

  it("name every fault at once, and none of the secrets", () => {
    const message = faultOf({
      ...ON_S3,
      AWS_SECRET_ACCESS_KEY: "top-secret",
      AWS_ENDPOINT_URL_S3: "https://id:top-secret@s3.example.org",
      S3_URL_STYLE: "virtual",
      CONSUMPTION_URL: "postgres://user:top-secret@host/db",
      PORT: "x",
    });
    for (const name of [
      "AWS_ACCESS_KEY_ID",
      "AWS_ENDPOINT_URL_S3",
      "S3_URL_STYLE",
      "CONSUMPTION_URL",
      "PORT",
    ]) {
      expect(message).toContain(`  ${name} `);
    }
    expect(message).not.toContain("top-secret");
  });

  it("ignore the variables of S3 if no zone is there", () => {
    expect(faultOf({ AWS_SECRET_ACCESS_KEY: "alone", AWS_ENDPOINT_URL_S3: "none" })).toBe("");
  });

  it.each([
    "https://shop.example.org/",
    "shop.example.org",
    "https://Shop.example.org",
    "https://a.org,*",
    ",",
  ])("refuse the origins %s", (origins) => {
    expect(faultOf({ API_CORS_ORIGINS: origins })).toContain(
      "API_CORS_ORIGINS must be * or origins such as https://",
    );
  });

  it.each([
    "true",
    "all",
    "proxy.example.org",
    "10.0.0.0/33",
    "10.0.0.0/8/9",
    "0.0.0.0/0",
    "::1/129",
    "loopback,",
    "-1",
  ])("refuse %j as the proxies to trust", (proxies) => {
    expect(faultOf({ TRUST_PROXY: proxies })).toContain("TRUST_PROXY must be the number of proxies in front");
  });

  it("take proxies by number, address, network and name", () => {
    const proxies = (TRUST_PROXY?: string) => readSettings({ TRUST_PROXY }).api.trustProxy;
    expect(proxies("2")).toBe(2);
    expect(proxies("10.0.0.0/8, ::1,loopback")).toEqual(["10.0.0.0/8", "::1", "loopback"]);
    expect(proxies()).toEqual([]);
  });

  it("take several origins, or all", () => {
    const origins = (API_CORS_ORIGINS: string) => readSettings({ API_CORS_ORIGINS }).api.corsOrigins;
    expect(origins("https://a.org, http://localhost:3000")).toEqual([
      "https://a.org",
      "http://localhost:3000",
    ]);
    expect(origins("*")).toBe("*");
  });

  it.each(["x", "-1", "1.5", "101%"])("refuse %j changed answers", (limit) => {
    expect(faultOf({ MAX_CHANGED: limit })).toContain(
      "MAX_CHANGED must be a number of answers such as 5, or a share",
    );
  });

  it("accept a number of changed answers, or a share of the previous ones", () => {
    expect(readSettings({ MAX_CHANGED: "5" }).maxChanged).toEqual({ answers: 5 });
    expect(readSettings({ MAX_CHANGED: "12.5%", IGNORE_TOSS_UPS: "true" })).toMatchObject({
      maxChanged: { share: 0.125 },
      ignoreTossUps: true,
    });
  });

  it("refuse an invalid time to end, and keys for an unknown part, at once", () => {
    const fault = faultOf({ API_SHUTDOWN_SECONDS: "soon", API_KEYS_FOR: "v2" });
    expect(fault).toContain("  API_SHUTDOWN_SECONDS must be a whole number of seconds");
    expect(fault).toContain("  API_KEYS_FOR must be v1 or all");
  });

  it.each([
    "mysql://host/db",
    "mysql://user:pw@host",
    "mysql://user:pw@host/",
    "mysql://user:pw@host/a/b",
    "mysql:db",
    "sqlite:",
  ])("refuse the consumption database %s", (url) => {
    expect(faultOf({ CONSUMPTION_URL: url })).toContain("CONSUMPTION_URL must be sqlite:<file> or mysql://");
  });

  it.each([
    "b66@C2hidden/k3yPart#2c",
    "C2hidden@k3yPart",
    "C2hidden/k3yPart",
    "C2hidden?k3yPart",
    "1#C2hidden:k3yPart",
    "C2hidden k3yPart",
  ])("refuse a password that is not percent-encoded, and show no part of it: %s", (password) => {
    const fault = faultOf({ CONSUMPTION_URL: `mysql://app:${password}@host/db` });
    expect(fault).toContain("percent-encode it: @ is %40");
    expect(fault).not.toMatch(/C2hidden|k3yPart|b66|2c/);
    const encoded = `mysql://app:${encodeURIComponent(password)}@host/db?ssl-mode=REQUIRED`;
    expect(readSettings({ CONSUMPTION_URL: encoded }).consumptionUrl).toBe(encoded);
  });

  it("refuse one in a file .env, in which a # begins a comment", async () => {
    const folder = await makeFolder();
    const said = async (line: string) => {
      await writeFile(path.join(folder, ".env"), `${line}\n`);
      const { status, stderr } = spawnSync(process.execPath, [MAIN, "status"], {
        cwd: folder,
        encoding: "utf8",
        env: {},
      });
      return { status, stderr };
    };
    const { status, stderr } = await said("CONSUMPTION_URL=mysql://app:C2hidden@k3yPart/2c#4d@host/db");
    expect(status).toBe(2);
    expect(stderr).toContain("percent-encode it");
    expect(stderr).not.toMatch(/C2hidden|k3yPart|2c|4d/);
    expect((await said("CONSUMPTION_URL=sqlite:none.db # mysql://a#b")).status).toBe(3);
  });

  it("compute in the process by default, or with a Spark", () => {
    expect(readSettings({ ENGINE: "duckdb" }).engine).toEqual({ kind: "duckdb" });
    const engine = (ENGINE: string) => readSettings({ ...ZONES_ON_S3, ENGINE }).engine;
    expect(engine("spark://spark.example.org:10000")).toEqual({
      kind: "spark",
      host: "spark.example.org",
      port: 10000,
      user: "pipeline",
      password: undefined,
      tls: false,
      httpPath: undefined,
      kerberos: undefined,
      caBundle: undefined,
    });
    expect(engine("spark://etl:p%40ss%3Aw%2Frd@[::1]:443/?tls=true&transport=http")).toMatchObject({
      host: "::1",
      port: 443,
      user: "etl",
      password: "p@ss:w/rd",
      tls: true,
      httpPath: "cliservice",
    });
    expect(engine("spark://h:1?transport=http&path=gateway/spark")).toMatchObject({
      httpPath: "gateway/spark",
    });
  });

  it("take hive2:// for a Spark, too, also at the port of a master", () => {
    const engine = (ENGINE: string) => readSettings({ ...ZONES_ON_S3, ENGINE }).engine;
    for (const rest of ["etl:p%40ss@h:10000?tls=true", "h:1?transport=http", "h:2?auth=kerberos"])
      expect(engine(`hive2://${rest}`)).toEqual(engine(`spark://${rest}`));
    expect(engine("hive2://h:7077")).toMatchObject({ kind: "spark", host: "h", port: 7077 });
  });

  it("name a Spark in Kerberos by its principal", () => {
    const kerberos = (query: string) => {
      const { engine } = readSettings({ ...ZONES_ON_S3, ENGINE: `spark://spark.example.org:10000?${query}` });
      return engine.kind === "spark" ? engine.kerberos : engine;
    };
    expect(kerberos("auth=kerberos")).toEqual({ service: "hive", host: "spark.example.org" });
    expect(kerberos("auth=kerberos&principal=spark")).toEqual({
      service: "spark",
      host: "spark.example.org",
    });
    expect(kerberos("auth=kerberos&principal=spark/_HOST&tls=true")).toEqual({
      service: "spark",
      host: "spark.example.org",
    });
    expect(kerberos("auth=kerberos&principal=hive/node-1.example.org")).toEqual({
      service: "hive",
      host: "node-1.example.org",
    });
    expect(kerberos("auth=password")).toBeUndefined();
  });

  it.each([
    ["trino://host:8080", FORM_OF_ENGINE],
    ["spark://host", FORM_OF_ENGINE],
    ["spark://:10000", FORM_OF_ENGINE],
    ["spark://u:top-secret@host:10000/database", FORM_OF_ENGINE],
    ["spark://u:top-secret%@host:10000", "has a % that does not encode a character"],
    [
      "spark://u:top-secret@host:10000?ssl=true",
      "has the unknown parameter ssl; known: tls, transport, path, auth, principal",
    ],
    ["spark://u:2024?top-secret@host:10000", FORM_OF_ENGINE],
    ["spark://host:0", FORM_OF_ENGINE],
    ["spark://host1,host2:10000", FORM_OF_ENGINE],
    ["spark://u:top-secret@host:10000?tls=true&tls=false", "has the parameter tls twice"],
    ["spark://u:top-secret@host:10000?tls=yes", "has an invalid tls; use true or false"],
    ["spark://u:top-secret@host:10000?transport=udp", "has an invalid transport; use tcp or http"],
    ["spark://u:top-secret@host:10000?path=x", "has a path, which needs transport=http"],
    ["hive2://u:top-secret@host:10000/default", FORM_OF_ENGINE],
    ["hive2://u:top-secret@host", FORM_OF_ENGINE],
    ["jdbc:hive2://host:10000/;ssl=true", `${FORM_OF_ENGINE}; it has the form of JDBC`],
    ["spark://host:10000?auth=ldap", "has an invalid auth; use password or kerberos"],
    ["spark://host:10000?principal=hive", "has a principal, which needs auth=kerberos"],
    [
      "spark://host:10000?auth=kerberos&principal=hive/_HOST@A.ORG",
      "has a principal with a realm; leave it out",
    ],
    ["spark://host:10000?auth=kerberos&principal=/host", "has an invalid principal"],
    ["spark://host:10000?auth=kerberos&transport=http", "has auth=kerberos, which needs transport=tcp"],
    [
      "spark://u:top-secret@host:10000?auth=kerberos",
      "has a user or a password, but auth=kerberos uses the ticket",
    ],
  ])("refuse the engine %s, and keep its password secret", (engine, fault) => {
    const message = faultOf({ ENGINE: engine });
    expect(message).toContain(`  ENGINE ${fault}`);
    expect(message).not.toContain("top-secret");
  });

  it.each([
    "spark://u:top-secret@host:7077",
    "spark://host:7077/",
    "spark://host:7077,other:7077",
    "spark://host:7077,other:7078",
  ])("tell %s, which is a Spark master, from the Thrift Server", (engine) => {
    const message = faultOf({ ENGINE: engine });
    expect(message).toContain("  ENGINE names port 7077, which is a Spark master's;");
    expect(message).toContain(
      "Thrift Server of the cluster (sbin/start-thriftserver.sh), usually at port 10000",
    );
    expect(message).toContain("write spark://host:10000.");
    expect(message).not.toContain("top-secret");
  });

  it.each(["spark", "hive2"])("require all three zones on S3 if a Spark computes, by %s://", (scheme) => {
    const message = faultOf({
      ENGINE: `${scheme}://host:10000`,
      RAW_ZONE: "s3://lake/raw",
      CURATED_ZONE: "data/cur",
    });
    expect(message).not.toContain("RAW_ZONE");
    expect(message).toContain("  CURATED_ZONE must be s3://bucket/prefix if ENGINE names a Spark");
    expect(message).toContain("  PROVISION_ZONE must be s3://bucket/prefix if ENGINE names a Spark");
  });

  it("refuse the name of a zone that Spark would take for a pattern", () => {
    const message = faultOf({
      ENGINE: "spark://host:10000",
      RAW_ZONE: "s3://lake/raw",
      CURATED_ZONE: "s3://lake/cur{a}",
      PROVISION_ZONE: "s3://lake/provision",
    });
    expect(message).toContain("  CURATED_ZONE has characters that Spark takes for a pattern");
    expect(message).not.toContain("PROVISION_ZONE");
  });
});
