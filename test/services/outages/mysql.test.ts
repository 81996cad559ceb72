import { beforeAll, describe } from "@jest/globals";
import { makeLake, type Lake } from "./lake.js";
import { testOutages } from "./matrix.js";
import { BEFORE_THE_RUN, type Fault } from "./outage.js";
import { startTcpProxy, type Network, type TcpProxy } from "./tcp-proxy.js";

let lake: Lake;
let proxy: TcpProxy;

beforeAll(async () => {
  lake = await makeLake("mysql");
  proxy = await startTcpProxy(lake.mysql.current.port);
}, 120_000);

const MOMENTS = [
  BEFORE_THE_RUN,
  "database opened",
  "migration begun",
  "database migrated",
  "lock taken",
  "start recorded",
  "raw files found",
  "published tables ready",
  "all prepared",
  "all committed",
  "publish: transaction begun",
  "publish: voucher_frequent_most_used written",
  "publish: publication written",
  "run ended",
  "end recorded",
];

function onTheWay(name: string, network: Network, passesAfter?: number): Fault {
  const throughProxy = new URL(lake.mysql.url);
  throughProxy.port = proxy.port.toString();
  return {
    name,
    begin: () => {
      proxy.become(network);
    },
    end: () => {
      proxy.become("good");
    },
    environment: { CONSUMPTION_URL: throughProxy.href },
    ...(passesAfter === undefined ? {} : { passesAfter }),
  };
}

function faults(): Fault[] {
  const { mysql } = lake;
  return [
    { name: "stopped for good", begin: mysql.stop, end: mysql.start },
    { name: "killed and started again", begin: mysql.stop, end: mysql.start, passesAfter: 1_000 },
    { name: "paused for a while", begin: mysql.pause, end: mysql.goOn, passesAfter: 3_000 },
    {
      name: "paused for good, with a time limit",
      begin: mysql.pause,
      end: mysql.goOn,
      args: ["--timeout", "5s"],
    },
    onTheWay("slow", "slow"),
    onTheWay("reset for a while", "resetting", 2_000),
    onTheWay("reset for good", "resetting"),
  ];
}

describe("MySQL", () => {
  testOutages(
    "outages of MySQL",
    () => lake,
    MOMENTS,
    faults,
    [
      "stopped for good",
      "killed and started again",
      "paused for a while",
      "paused for good, with a time limit",
      "slow",
      "reset for a while",
      "reset for good",
    ],
    [
      [BEFORE_THE_RUN, "reset for a while"],
      ["lock taken", "killed and started again"],
      ["all prepared", "paused for good, with a time limit"],
      ["publish: voucher_frequent_most_used written", "reset for good"],
      ["publish: voucher_frequent_most_used written", "killed and started again"],
      ["publish: publication written", "stopped for good"],
      ["publish: publication written", "paused for a while"],
      ["end recorded", "slow"],
    ],
  );
});
