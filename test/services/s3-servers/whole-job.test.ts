import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import {
  CreateBucketCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { pipeline, start } from "../../cli/command.js";
import { readTable } from "../../consumption/reading.js";
import { HEADER, LINE } from "../../end-to-end/failing.js";
import { EXECUTION_DATE } from "../../run/running.js";
import { hashesOf, putFile } from "../../storage.js";
import { makeFolder } from "../../workspace.js";
import {
  servicesDirectory,
  startMinio,
  startMoto,
  startS3rver,
  startSeaweedFs,
  type S3Server,
} from "../servers.mjs";

interface Lake {
  readonly environment: Record<string, string>;
  put(name: string, content: string): Promise<void>;
  /** The SHA-256 of every file of curated and provision by its path, staged files included. */
  hashes(): Promise<Record<string, string>>;
}

/** What readers find after a step of a job. */
interface Step {
  readonly code: number | null;
  readonly files: Record<string, string>;
  readonly answers: unknown;
}

const ZONES = ["curated", "provision"];

/** Servers of every kind, and where `install.sh` puts them. CI tries all; other machines try those that they have. */
const SERVERS = [
  ["MinIO", "bin/minio", startMinio],
  ["SeaweedFS", "bin/weed", startSeaweedFs],
  ["moto", "moto/bin/moto_server", startMoto],
] as const;
const OLD_SERVER = "s3rver/node_modules/.bin/s3rver";

const isThere = (program: string) =>
  process.env["TEST_EVERYTHING"] !== undefined || existsSync(path.join(servicesDirectory(), program));

async function inFolders(): Promise<Lake> {
  const folder = await makeFolder();
  return {
    environment: {
      RAW_ZONE: path.join(folder, "raw"),
      CURATED_ZONE: path.join(folder, "curated"),
      PROVISION_ZONE: path.join(folder, "provision"),
      RUN_REPORTS: path.join(folder, "runs"),
      CONSUMPTION_URL: `sqlite:${path.join(folder, "consumption.db")}`,
    },
    put: (name, content) => putFile(path.join(folder, "raw"), name, content),
    hashes: async () => {
      const hashes: Record<string, string> = {};
      for (const zone of ZONES) {
        for (const [name, hash] of Object.entries(await hashesOf(path.join(folder, zone))))
          hashes[`${zone}/${name}`] = hash;
      }
      return hashes;
    },
  };
}

async function onServer({ endpoint, credentials }: S3Server): Promise<Lake> {
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials,
    // s3rver does not know the newer checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  const Bucket = "lake";
  await client.send(new CreateBucketCommand({ Bucket }));
  return {
    environment: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      DUCKDB_EXTENSION_DIRECTORY: path.join(servicesDirectory(), "extensions"),
      RAW_ZONE: `s3://${Bucket}/raw`,
      CURATED_ZONE: `s3://${Bucket}/curated`,
      PROVISION_ZONE: `s3://${Bucket}/provision`,
      RUN_REPORTS: `s3://${Bucket}/runs`,
      CONSUMPTION_URL: `sqlite:${path.join(await makeFolder(), "consumption.db")}`,
    },
    put: async (name, content) => {
      await client.send(new PutObjectCommand({ Bucket, Key: `raw/${name}`, Body: content }));
    },
    hashes: async () => {
      const hashes: Record<string, string> = {};
      for (const zone of ZONES) {
        for await (const { Contents = [] } of paginateListObjectsV2(
          { client },
          { Bucket, Prefix: `${zone}/` },
        )) {
          for (const { Key = "" } of Contents) {
            const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
            hashes[Key] = createHash("sha256")
              .update((await Body?.transformToByteArray()) ?? "")
              .digest("hex");
          }
        }
      }
      return hashes;
    },
  };
}

const ROWS_WITH_ODD_NAMES = {
  "vouchers/a+b c%20é.csv": `${HEADER}\n${LINE}\n${LINE}\n${LINE.replace("Peru", "")}\n`,
  "vouchers/2020/100%.csv": `${HEADER}\n${LINE.replace("Peru", "Chile")}\n`,
};

async function firstRun(lake: Lake): Promise<Step> {
  for (const [name, content] of Object.entries(ROWS_WITH_ODD_NAMES)) await lake.put(name, content);
  return step(lake, ["-e", EXECUTION_DATE]);
}

async function step(lake: Lake, words: string[], changes: Record<string, string> = {}): Promise<Step> {
  const { code } = await pipeline(words, { ...lake.environment, ...changes });
  const answers = await readTable(
    { consumptionUrl: lake.environment["CONSUMPTION_URL"] ?? "" },
    "SELECT * FROM voucher_frequent_most_used ORDER BY 1, 2, 3",
  );
  return { code, files: await lake.hashes(), answers };
}

async function wholeJob(lake: Lake) {
  const first = await firstRun(lake);
  const second = await step(lake, ["-e", EXECUTION_DATE]);
  const failedAudit = await step(lake, ["-e", EXECUTION_DATE], { MAX_REJECTED_SHARE: "0" });
  const backfill = await step(lake, ["backfill", "--from", "2020-05-27", "--to", "2020-05-28"]);
  await lake.put("vouchers/news.csv", `${HEADER}\n${LINE.replace("2640", "999")}\n`);
  const failpoint = "vouchers: new file in place";
  const killed = start(["-e", EXECUTION_DATE], { ...lake.environment, TEST_FAILPOINT: failpoint });
  await killed.stoodAt(failpoint);
  killed.kill("SIGKILL");
  await killed.ended;
  const afterKill = await step(lake, ["-e", EXECUTION_DATE]);
  return { first, second, failedAudit, backfill, afterKill };
}

describe("the whole job", () => {
  let expected: Awaited<ReturnType<typeof wholeJob>>;
  const running: S3Server[] = [];

  beforeAll(async () => {
    expected = await wholeJob(await inFolders());
  });

  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop("SIGKILL");
  });

  async function lakeOn(starter: (options: { directory: string }) => Promise<S3Server>): Promise<Lake> {
    const server = await starter({ directory: path.join(await makeFolder(), "server") });
    running.push(server);
    return onServer(server);
  }

  it("changes in folders only the expected files", () => {
    const { first, second, failedAudit, backfill, afterKill } = expected;
    const partitionsOf = ({ files }: Step) =>
      new Set(Object.keys(files).map((file) => path.basename(path.dirname(file))));
    expect([first.code, backfill.code, afterKill.code]).toEqual([0, 0, 0]);
    expect(second).toEqual(first);
    expect(failedAudit).toEqual({ ...first, code: 3 });
    expect(backfill.files).toMatchObject(first.files);
    expect(partitionsOf(backfill)).toEqual(
      new Set(["27", "28", "29"].map((day) => `execution_date=2020-05-${day}T000000`)),
    );
    expect(Object.keys(afterKill.files)).toEqual(Object.keys(backfill.files));
    expect(afterKill.files).not.toEqual(backfill.files);
  });

  it.each(SERVERS.filter(([, program]) => isThere(program)))(
    "makes the same bytes on %s as in folders",
    async (_name, _program, starter) => {
      expect(await wholeJob(await lakeOn(starter))).toEqual(expected);
    },
  );

  (isThere(OLD_SERVER) ? it : it.skip)(
    "reads every name on s3rver, which lists keys as they are and cannot list uploads",
    async () => {
      expect(await firstRun(await lakeOn(startS3rver))).toEqual(expected.first);
    },
  );
});
