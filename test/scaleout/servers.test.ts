import { execFileSync } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { pipeline } from "../cli/command.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE } from "../run/running.js";
import { makeFolder, makeWorkspace, PROJECT } from "../workspace.js";
import { compileJava, startThriftServer, type ThriftServer, type ThriftServerOptions } from "./cluster.mjs";
import { failureOf, openSession, s3OfTests, sparkSettings } from "./spark.js";

const ACCOUNT = `etl:${encodeURIComponent("p@ss/w%rd")}`;

const own: ThriftServer[] = [];

afterAll(async () => {
  for (const server of own) await server.stop("SIGKILL");
});

/** A server of the test's own, which computes by itself. */
async function startOwn(options: Pick<ThriftServerOptions, "hive" | "classes">): Promise<ThriftServer> {
  const directory = path.join(await makeFolder(), "server");
  const server = await startThriftServer({ directory, s3: s3OfTests(), ...options });
  own.push(server);
  return server;
}

/** Settings by which a server asks for the one password of the tests. */
async function withPassword(): Promise<Required<Pick<ThriftServerOptions, "hive" | "classes">>> {
  const source = path.join(PROJECT, "test/scaleout/OnePassword.java");
  const hive = {
    "hive.server2.authentication": "CUSTOM",
    "hive.server2.custom.authentication.class": "OnePassword",
  };
  return { hive, classes: [await compileJava(source, await makeFolder())] };
}

/** A certificate for this machine in a store of Java's, and the authority that has signed it. */
async function makeCertificate(): Promise<{ hive: Record<string, string>; authority: string }> {
  const folder = await makeFolder();
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const request = ["req", "-newkey", "rsa:2048", "-nodes", "-days", "1"];
  openssl(...request, "-x509", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem");
  openssl(
    ...[...request, "-x509", "-CA", "ca.pem", "-CAkey", "ca.key", "-subj", "/CN=spark"],
    ...["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-keyout", "spark.key", "-out", "spark.pem"],
  );
  const pair = ["-inkey", "spark.key", "-in", "spark.pem"];
  openssl("pkcs12", "-export", ...pair, "-out", "spark.p12", "-passout", "pass:of-store");
  return {
    authority: path.join(folder, "ca.pem"),
    hive: {
      "hive.server2.use.SSL": "true",
      "hive.server2.keystore.path": path.join(folder, "spark.p12"),
      "hive.server2.keystore.password": "of-store",
    },
  };
}

describe("a server with TLS and passwords", () => {
  let server: ThriftServer;
  let authority: string;
  const at = (account: string, query = "?tls=true") =>
    sparkSettings(`spark://${account}@127.0.0.1:${server.port}${query}`, authority);

  beforeAll(async () => {
    const { hive, classes } = await withPassword();
    const certificate = await makeCertificate();
    authority = certificate.authority;
    server = await startOwn({ hive: { ...hive, ...certificate.hive }, classes });
  }, 240_000);

  it("accepts the password, if the authority of its certificate is trusted", async () => {
    const session = await openSession(at(ACCOUNT));
    expect(await session.rows("SELECT current_user() AS name")).toEqual([{ name: "etl" }]);
  });

  it("is not usable with a wrong password, which stays secret", async () => {
    const failure = await failureOf(openSession(at("etl:unmistakable")));
    expect(failure).toMatchObject({ code: "ENGINE_NOT_USABLE", kind: "usage" });
    expect(String(failure)).toContain(`Spark at 127.0.0.1:${server.port} refuses the user or the password`);
    expect(String(failure)).not.toContain("unmistakable");
  });

  it("ends a run that has a wrong password with exit code 2, and keeps it secret", async () => {
    const { environment, settings } = await makeWorkspace({}, "minio+sqlite");
    await putVouchers(settings.zones.raw, times(2, voucher()));
    const ENGINE = `spark://etl:unmistakable@127.0.0.1:${server.port}?tls=true`;
    const ended = await pipeline(["-e", EXECUTION_DATE], {
      ...environment,
      ENGINE,
      ENGINE_CA_BUNDLE: authority,
      LOG_LEVEL: "trace",
    });
    expect(ended).toMatchObject({ code: 2 });
    expect(ended.stderr).toContain("ENGINE_NOT_USABLE");
    expect(ended.stdout + ended.stderr).not.toContain("unmistakable");
  });

  it("is not usable if its authority is not trusted, and if TLS is not set", async () => {
    const distrusted = await failureOf(openSession({ ...at(ACCOUNT), caBundle: undefined }));
    expect(distrusted).toMatchObject({ code: "ENGINE_NOT_USABLE" });
    expect(String(distrusted)).toContain("ENGINE_CA_BUNDLE");
    expect(await failureOf(openSession(at(ACCOUNT, "")))).toMatchObject({ code: "ENGINE_NOT_USABLE" });
  });
});

describe("a server over HTTP", () => {
  it("works like any other Spark, and refuses a wrong password", async () => {
    const { hive, classes } = await withPassword();
    const http = { "hive.server2.transport.mode": "http" };
    const { port } = await startOwn({ hive: { ...hive, ...http }, classes });
    const at = (account: string) => sparkSettings(`spark://${account}@127.0.0.1:${port}?transport=http`);
    const session = await openSession(at(ACCOUNT));
    expect(await session.rows("SELECT current_user() AS name, 1 AS n")).toEqual([{ name: "etl", n: 1 }]);
    expect(await failureOf(openSession(at("etl:wrong")))).toMatchObject({ code: "ENGINE_NOT_USABLE" });
  }, 240_000);
});

describe("a server that is killed", () => {
  it("ends every wait for it within a second, and accepts no one", async () => {
    const server = await startOwn({});
    const settings = sparkSettings(`spark://127.0.0.1:${server.port}`);
    const session = await openSession(settings);
    const failure = failureOf(session.rows("SELECT count(*) FROM range(1000000000000) WHERE sqrt(id) > 3"));
    await sleep(1_000);
    await server.stop("SIGKILL");
    const killed = performance.now();
    expect(await failure).toMatchObject({ code: "ENGINE_UNAVAILABLE", kind: "unavailable" });
    expect(performance.now() - killed).toBeLessThan(1_000);
    await session.close();
    expect(await failureOf(openSession(settings))).toMatchObject({ code: "ENGINE_UNAVAILABLE" });
  }, 240_000);
});
