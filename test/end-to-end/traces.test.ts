import { readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { RunEvent } from "../../src/run/observers/openlineage/event.js";
import { ask, startApi } from "../api/process.js";
import { pipeline } from "../cli/command.js";
import { readTable } from "../consumption/reading.js";
import { attributesOf, receiveOtlp } from "../otlp-receiver.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { until } from "../until.js";
import { makeWorkspace, type Workspace } from "../workspace.js";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;
const RUN = ["-e", "2020-05-29", "--log-level", "info", "--json"];

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await putVouchers(workspace.settings.zones.raw, times(3, voucher()));
});

const runWith = (environment: Record<string, string>) =>
  pipeline(RUN, { ...workspace.environment, ...environment });

/** The traces that the lines of a log name. */
function tracesIn(stderr: string): unknown[] {
  const lines = stderr.split("\n").filter((line) => line.includes('"run":'));
  return [...new Set(lines.map((line) => (JSON.parse(line) as { trace_id?: unknown }).trace_id))];
}

describe("a run that is part of a trace", () => {
  it("has it in its log, its record, its report for machines and its lineage, without a receiver", async () => {
    const file = path.join(workspace.folder, "lineage.ndjson");
    const { code, stdout, stderr } = await runWith({ TRACEPARENT, OPENLINEAGE_FILE: file });
    expect(code).toBe(0);
    expect(tracesIn(stderr)).toEqual([TRACE]);
    expect(JSON.parse(stdout)).toMatchObject({ trace_id: TRACE });
    const { run_id } = JSON.parse(stdout) as { run_id: string };
    const [row] = (await readTable(
      workspace.settings,
      `SELECT record FROM pipeline_runs WHERE run_id = '${run_id}'`,
    )) as { record: string }[];
    expect(JSON.parse(row?.record ?? "{}")).toMatchObject({ trace_id: TRACE });
    const [event = ""] = (await readFile(file, "utf8")).split("\n");
    expect(JSON.stringify((JSON.parse(event) as RunEvent).run.facets.executionParameters)).toContain(
      JSON.stringify({ key: "trace_id", value: TRACE }),
    );
  });

  it.each([{}, { TRACEPARENT: "00-not-valid" }])(
    "names no trace without a caller's: %j",
    async (environment) => {
      const { code, stdout, stderr } = await runWith(environment);
      expect(code).toBe(0);
      expect(tracesIn(stderr)).toEqual([undefined]);
      expect(JSON.parse(stdout)).not.toHaveProperty("trace_id");
    },
  );
});

describe("the spans of a run", () => {
  it("are sent as children of the caller's, one for each step", async () => {
    const receiver = await receiveOtlp();
    const { code, stdout } = await runWith({
      TRACEPARENT,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20secret",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
    });
    expect(code).toBe(0);
    expect(receiver.requests.map(({ address }) => address)).toEqual(["/v1/traces"]);
    expect(receiver.requests[0]?.headers.authorization).toBe("Bearer secret");
    expect(receiver.service()).toMatchObject({
      "service.name": "voucher-pipeline",
      "deployment.environment.name": "test",
    });
    const spans = receiver.spans();
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
    const [run, ...others] = spans.filter(({ parentSpanId }) => parentSpanId === SPAN);
    expect(others).toEqual([]);
    const { run_id } = JSON.parse(stdout) as { run_id: string };
    expect(run).toMatchObject({ name: "pipeline run", status: { code: 0 } });
    expect(attributesOf(run?.attributes ?? [])).toEqual({
      "voucher.run_id": run_id,
      "voucher.execution_date": "2020-05-29T00:00:00Z",
      "voucher.stages": "curate,aggregate,publish",
      "voucher.sql_version": "v1",
    });
    const steps = spans.filter((span) => span !== run);
    expect(steps.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "raw files",
        "curated.vouchers",
        "audits of curated.vouchers",
        "publish",
        "commit",
      ]),
    );
    for (const step of steps) {
      expect(step.parentSpanId).toBe(run?.spanId);
      expect(BigInt(step.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(run?.startTimeUnixNano ?? "0"));
      expect(BigInt(step.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(run?.endTimeUnixNano ?? "0"));
    }
  });

  it("begin a trace without a caller, and have the failure of the run, but no data", async () => {
    const receiver = await receiveOtlp();
    const own = await makeWorkspace();
    await putVouchers(own.settings.zones.raw, times(3, voucher({ total_orders: "Unmistakable" })));
    const environment = { ...own.environment, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint };
    const { code, stderr } = await pipeline(RUN, environment);
    expect(code).toBe(3);
    const run = receiver.spans().find(({ name }) => name === "pipeline run");
    expect(run).toMatchObject({ status: { code: 2, message: "AUDIT_FAILED" } });
    expect(run).not.toHaveProperty("parentSpanId");
    expect(attributesOf(run?.attributes ?? [])["error.type"]).toBe("AUDIT_FAILED");
    expect(tracesIn(stderr)).toEqual([run?.traceId]);
    expect(receiver.requests.map(({ body }) => body).join()).not.toContain("Unmistakable");
  });

  it("are not sent if the caller does not record the trace", async () => {
    const receiver = await receiveOtlp();
    const { code } = await runWith({
      TRACEPARENT: `00-${TRACE}-${SPAN}-00`,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    });
    expect([code, receiver.requests]).toEqual([0, []]);
  });

  it("are a warning, and no fault, if the receiver refuses them or is away", async () => {
    const refusing = await receiveOtlp(400);
    for (const endpoint of [refusing.endpoint, "http://127.0.0.1:1"]) {
      const { code, stderr } = await runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
      expect(code).toBe(0);
      expect(stderr).toContain(`traces: ${endpoint} is not reachable: `);
    }
  });

  it("are not sent if the variable is empty, and an invalid address is refused", async () => {
    expect(await runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: "" })).toMatchObject({ code: 0 });
    const { code, stderr } = await runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" });
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("OTEL_EXPORTER_OTLP_ENDPOINT must be http://"),
    ]);
  });
});

describe("the spans of requests to the api", () => {
  it("are sent in the background, in the trace of the client, and the rest when the api ends", async () => {
    const receiver = await receiveOtlp();
    await runWith({});
    const api = startApi({ ...workspace.environment, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
    const port = await api.port;
    const headers = { traceparent: TRACEPARENT, "X-Request-Id": "traced" };
    const address = `http://127.0.0.1:${port.toString()}/v1/tables/voucher_frequent_most_used?limit=1`;
    await (await fetch(address, { headers })).text();
    await (await ask(api, "/nothing/here?customer=secret")).text();
    await until(() => api.log().includes("/nothing/here"));
    api.child.kill("SIGTERM");
    expect(await api.ended).toBe(0);
    const [table, unknown] = receiver.spans();
    expect(receiver.service()).toMatchObject({ "service.name": "voucher-pipeline-api" });
    expect(table).toMatchObject({
      name: "GET /v1/tables/{table}",
      kind: 2,
      traceId: TRACE,
      parentSpanId: SPAN,
      status: { code: 0 },
    });
    expect(attributesOf(table?.attributes ?? [])).toMatchObject({
      "http.request.method": "GET",
      "http.route": "/v1/tables/{table}",
      "url.path": "/v1/tables/voucher_frequent_most_used",
      "http.response.status_code": 200,
      "voucher.request_id": "traced",
    });
    expect(unknown).toMatchObject({ name: "GET" });
    expect(unknown?.traceId).not.toBe(TRACE);
    expect(JSON.stringify(receiver.spans())).not.toContain("secret");
    const line = api
      .log()
      .split("\n")
      .find((text) => text.includes('"request":"traced"'));
    expect(JSON.parse(line ?? "{}")).toMatchObject({ trace_id: TRACE });
  });
});
