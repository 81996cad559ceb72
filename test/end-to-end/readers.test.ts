import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "@jest/globals";
import { startApi } from "../api/process.js";
import { pipeline, start } from "../cli/command.js";
import { PLACE } from "../place.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { vouchersOf } from "../readers/cells.js";
import { History } from "../readers/history.js";
import { askAllCells, readTogether, type Readings } from "../readers/reader.js";
import { recordReliability } from "../reliability-results.js";
import { makeWorkspace } from "../workspace.js";

const SECONDS = Number(process.env["READERS_SECONDS"] ?? "6");
const CLIENTS = 8;
const NEWEST = "2020-05-29";
const OLD = "2020-05-28";
const LATER = "2020-05-30";

it(
  "readers see one whole publication of the newest date, while runs publish, fail and are killed",
  async () => {
    const workspace = await makeWorkspace();
    const { raw } = workspace.settings.zones;
    const environmentOf = (name: string) => ({ ...workspace.environment, RAW_ZONE: `${raw}/${name}` });
    const history = new History();
    const ended = { published: 0, "published for an old date": 0, killed: 0, "failed its audits": 0 };
    const violations: string[] = [];
    let count = 0;
    const expectExit = async (run: ReturnType<typeof pipeline>, expected: number) => {
      const { code, stderr } = await run;
      if (code !== expected) violations.push(`a run ends with ${String(code)}: ${stderr}`);
    };

    const publishNewest = async () => {
      const publication = (count += 1);
      await putVouchers(`${raw}/newest`, vouchersOf(publication, NEWEST));
      history.begin(publication);
      await expectExit(pipeline(["-e", NEWEST, "--wait", "30s"], environmentOf("newest")), 0);
      history.succeed(publication);
      ended.published += 1;
    };
    const killOne = async () => {
      const publication = (count += 1);
      await putVouchers(`${raw}/newest`, vouchersOf(publication, NEWEST));
      history.begin(publication);
      const running = start(["-e", NEWEST, "--wait", "30s"], environmentOf("newest"));
      await sleep(500 + Math.random() * 1_500);
      running.kill("SIGKILL");
      await running.ended;
      ended.killed += 1;
    };
    const publishOld = async () => {
      await putVouchers(`${raw}/old`, vouchersOf((count += 1), OLD));
      await expectExit(pipeline(["-e", OLD], environmentOf("old")), 0);
      ended["published for an old date"] += 1;
    };
    const failLater = async () => {
      await expectExit(pipeline(["-e", LATER], environmentOf("later")), 3);
      ended["failed its audits"] += 1;
    };

    await putVouchers(`${raw}/later`, times(3, voucher({ total_orders: "many" })));
    await publishOld();
    await publishNewest();
    const api = startApi({ ...workspace.environment, PORT: "0" });
    const port = await api.port;
    const over = performance.now() + SECONDS * 1_000;
    const isOver = () => performance.now() > over;
    const requests: Readings = { count: 0, violations };
    const transactions: Readings = { count: 0, violations };
    const again = async (...turns: (() => Promise<void>)[]) => {
      for (let turn = 0; !isOver(); turn += 1) await turns[turn % turns.length]?.();
    };
    await Promise.all([
      again(publishNewest, publishNewest, killOne),
      again(publishOld, failLater),
      ...Array.from({ length: CLIENTS }, () => askAllCells(port, history, requests, isOver)),
      readTogether(workspace.settings.consumptionUrl, history, transactions, isOver),
    ]);
    await recordReliability({
      name: `readers ${PLACE}`,
      tried: {
        requests: requests.count,
        transactions: transactions.count,
        publications: history.publications,
      },
      outcomes: ended,
      violations: violations.length,
    });
    expect(violations.slice(0, 10)).toEqual([]);
    expect(requests.count).toBeGreaterThan(100);
    expect(ended.published).toBeGreaterThan(1);
  },
  SECONDS * 1_000 + 120_000,
);
