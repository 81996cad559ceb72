import { beforeAll, describe } from "@jest/globals";
import { startFaultyProxy, type Fault as HttpFault } from "../s3/faulty-proxy.js";
import { makeLake, type Lake } from "./lake.js";
import { testOutages } from "./matrix.js";
import { BEFORE_THE_RUN, type Fault } from "./outage.js";

let lake: Lake;
let proxy: string;
let httpFault: HttpFault;

beforeAll(async () => {
  lake = await makeLake("mysql");
  proxy = await startFaultyProxy(() => httpFault, lake.minio.current.endpoint);
}, 120_000);

const MOMENTS = [
  BEFORE_THE_RUN,
  "lock taken",
  "start recorded",
  "raw files found",
  "raw files inspected",
  "curated.vouchers: room made",
  "curated.vouchers: audited",
  "provision.voucher_frequent_most_used: audited",
  "all prepared",
  "vouchers: old file kept",
  "vouchers: new file in place",
  "all committed",
  "publish: publication written",
  "run ended",
];

function onTheWay(name: string, fault: HttpFault, passesAfter?: number): Fault {
  return {
    name,
    begin: () => {
      httpFault = fault;
    },
    end: () => {
      httpFault = undefined;
    },
    environment: { AWS_ENDPOINT_URL_S3: proxy },
    ...(passesAfter === undefined ? {} : { passesAfter }),
  };
}

function faults(): Fault[] {
  const { minio } = lake;
  return [
    { name: "stopped for good", begin: minio.stop, end: minio.start },
    { name: "killed and started again", begin: minio.stop, end: minio.start, passesAfter: 1_500 },
    { name: "paused for a while", begin: minio.pause, end: minio.goOn, passesAfter: 3_000 },
    {
      name: "paused for good, with a time limit",
      begin: minio.pause,
      end: minio.goOn,
      args: ["--timeout", "5s"],
    },
    onTheWay("slow", "late"),
    onTheWay("answering 503 for a while", { status: 503, code: "SlowDown" }, 2_000),
    onTheWay("answering 503 for good", { status: 503, code: "SlowDown" }),
    onTheWay("answering 500 for a while", { status: 500, code: "InternalError" }, 2_000),
    onTheWay("cut for a while", "cut", 2_000),
    onTheWay("cut in the body for a while", "cut in the body", 2_000),
    onTheWay("cut in the body for good", "cut in the body"),
  ];
}

describe("S3", () => {
  testOutages(
    "outages of S3",
    () => lake,
    MOMENTS,
    faults,
    [
      "stopped for good",
      "killed and started again",
      "paused for a while",
      "paused for good, with a time limit",
      "slow",
      "answering 503 for a while",
      "answering 503 for good",
      "answering 500 for a while",
      "cut for a while",
      "cut in the body for a while",
      "cut in the body for good",
    ],
    [
      ["start recorded", "killed and started again"],
      ["raw files found", "answering 503 for a while"],
      ["curated.vouchers: room made", "killed and started again"],
      ["curated.vouchers: room made", "paused for good, with a time limit"],
      ["provision.voucher_frequent_most_used: audited", "cut in the body for a while"],
      ["vouchers: old file kept", "answering 500 for a while"],
      ["vouchers: new file in place", "stopped for good"],
      ["run ended", "paused for a while"],
    ],
  );
});
