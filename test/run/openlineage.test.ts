import { createServer } from "node:http";
import { expect, it } from "@jest/globals";
import { startEvent, uuidOf } from "../../src/run/observers/openlineage/event.js";
import { sendEvent } from "../../src/run/observers/openlineage/openlineage.js";
import { readSettings } from "../../src/settings/settings.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { openZones } from "../../src/zones/open-zones.js";
import { version } from "../sql/session.js";

it("OpenLineage's id of a run is the same for the same run, and another for another", () => {
  expect(uuidOf("2020-05-29T000000-0aa00fb62f7b")).toBe("f9025eef-fc88-5cb1-abcb-56f8eddeca13");
  expect(uuidOf("2020-05-29T000000-0aa00fb62f7c")).not.toBe(uuidOf("2020-05-29T000000-0aa00fb62f7b"));
});

it("a run waits no longer than 5 seconds for a silent service", async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as { port: number };
  const settings = readSettings({ OPENLINEAGE_URL: `http://127.0.0.1:${port}` });
  const zones = await openZones(settings);
  const event = startEvent(
    {
      executionDate: parseExecutionDate("2020-05-29"),
      traceId: undefined,
      runId: "a run",
      settings,
      stages: ["curate"],
      version,
      zones,
    },
    "2020-05-29T00:00:00.000Z",
  );
  const began = performance.now();
  await expect(sendEvent(settings.openLineage, event)).rejects.toThrow(/is not reachable: .*timeout/);
  expect(performance.now() - began).toBeLessThan(8_000);
  server.closeAllConnections();
  server.close();
});
