import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { pipeline, type Ended } from "../cli/command.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE } from "../run/running.js";
import { makeFolder, makeWorkspace } from "../workspace.js";
import { startThriftServer, type ThriftServer } from "./cluster.mjs";
import { startKdc, type Kdc } from "./kdc.mjs";
import { s3OfTests } from "./spark.js";

const SERVER = "hive/localhost";
const TIMEOUT = 240_000;

let kdc: Kdc | undefined;
let server: ThriftServer | undefined;
let ticket: string;

beforeAll(async () => {
  kdc = await startKdc({ directory: await makeFolder() });
  ticket = kdc.ticketOf("etl", kdc.keytabOf("etl"));
  server = await startThriftServer({
    directory: path.join(await makeFolder(), "server"),
    s3: s3OfTests(),
    properties: {
      "spark.driver.extraJavaOptions": `-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.security.krb5.conf=${kdc.config}`,
      "spark.hadoop.hadoop.security.authentication": "kerberos",
    },
    hive: {
      "hive.server2.authentication": "KERBEROS",
      "hive.server2.authentication.kerberos.principal": `${SERVER}@${kdc.realm}`,
      "hive.server2.authentication.kerberos.keytab": kdc.keytabOf(SERVER),
      "hive.server2.thrift.bind.host": "localhost",
    },
  });
}, TIMEOUT);

afterAll(async () => {
  await server?.stop("SIGKILL");
  await kdc?.stop("SIGKILL");
});

/** A run at the server of the tests. */
async function runWith(query: string, changes: Record<string, string> = {}): Promise<Ended> {
  const { environment, settings } = await makeWorkspace({}, "minio+sqlite");
  await putVouchers(settings.zones.raw, times(2, voucher()));
  return pipeline(["-e", EXECUTION_DATE], {
    ...environment,
    ENGINE: `hive2://localhost:${server?.port.toString() ?? ""}${query}`,
    KRB5_CONFIG: kdc?.config ?? "",
    KRB5CCNAME: `FILE:${ticket}`,
    ...changes,
  });
}

describe("a server with Kerberos", () => {
  it(
    "runs the models for whoever has a ticket",
    async () => {
      const { code, stdout, stderr } = await runWith("?auth=kerberos");
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stdout).toContain("are published");
    },
    TIMEOUT,
  );

  it.each([
    [
      "no ticket",
      "?auth=kerberos",
      { KRB5CCNAME: "FILE:/nonexistent" },
      "Kerberos gives no ticket for hive@localhost",
    ],
    [
      "another principal",
      "?auth=kerberos&principal=spark",
      {},
      "Kerberos gives no ticket for spark@localhost",
    ],
    ["a password", "", {}, "requires Kerberos; add auth=kerberos to ENGINE"],
  ])(
    "ends a run with %s with exit code 2, and reports it",
    async (_what, query, changes, said) => {
      const { code, stderr } = await runWith(query, changes);
      expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(said) as unknown });
      expect(stderr).toContain("ENGINE_NOT_USABLE");
    },
    TIMEOUT,
  );

  it(
    "ends a run with exit code 4 if the KDC does not answer",
    async () => {
      // This ticket is new: it holds no key for the server yet.
      ticket = kdc?.ticketOf("etl", kdc.keytabOf("etl")) ?? "";
      await kdc?.stop("SIGKILL");
      const { code, stderr } = await runWith("?auth=kerberos");
      expect({ code, stderr }).toMatchObject({
        code: 4,
        stderr: expect.stringContaining("Kerberos is not reachable") as unknown,
      });
    },
    TIMEOUT,
  );
});
