import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, describe, expect, it } from "@jest/globals";
import { pipeline } from "../../cli/command.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { EXECUTION_DATE } from "../../run/running.js";
import { fingerprint, makeFolder, makeWorkspace } from "../../workspace.js";
import { forward } from "./faulty-proxy.js";

let server: Server | undefined;

afterAll(() => {
  server?.closeAllConnections();
  server?.close();
});

/** The S3 of the tests over TLS, with a certificate that an authority of the test's own has signed. */
async function startTls(): Promise<{ endpoint: string; authority: string }> {
  const folder = await makeFolder();
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const request = ["req", "-newkey", "rsa:2048", "-nodes", "-days", "1"];
  openssl(...request, "-x509", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem");
  openssl(
    ...[...request, "-x509", "-CA", "ca.pem", "-CAkey", "ca.key", "-subj", "/CN=lake"],
    ...["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-keyout", "lake.key", "-out", "lake.pem"],
  );
  const read = (name: string) => readFileSync(path.join(folder, name));
  server = createServer({ key: read("lake.key"), cert: read("lake.pem") }, forward);
  await new Promise<void>((listening) => server?.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return { endpoint: `https://127.0.0.1:${port.toString()}`, authority: path.join(folder, "ca.pem") };
}

describe("S3 over TLS", () => {
  it("is trusted if AWS_CA_BUNDLE names its authority, and only then", async () => {
    const { environment, settings } = await makeWorkspace({}, "minio+sqlite");
    await putVouchers(settings.zones.raw, times(2, voucher()));
    const { endpoint, authority } = await startTls();
    const overTls = { ...environment, AWS_ENDPOINT_URL_S3: endpoint };
    const distrusted = await pipeline(["-e", EXECUTION_DATE], overTls);
    expect(distrusted.code).toBe(2);
    expect(distrusted.stderr).toContain("ZONE_NOT_USABLE");
    expect(distrusted.stderr).toContain("AWS_CA_BUNDLE");
    const trusted = await pipeline(["-e", EXECUTION_DATE], { ...overTls, AWS_CA_BUNDLE: authority });
    expect(trusted).toMatchObject({ code: 0, stderr: "" });
    const temporary = await makeFolder();
    for (const words of [["plan", "-e", EXECUTION_DATE], ["doctor"]]) {
      const looked = await pipeline(words, { ...overTls, AWS_CA_BUNDLE: authority, TMPDIR: temporary });
      expect(looked).toMatchObject({ code: 0, stderr: "" });
    }
    expect(await fingerprint(temporary)).toEqual({});
  });
});
