import { readFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Stage } from "../../src/record/stages.js";
import type { RunEvent } from "../../src/run/observers/openlineage/event.js";
import type { OpenLineageSettings, Settings } from "../../src/settings/settings.js";
import { pipeline } from "../cli/warm-command.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { makeFolder, makeWorkspace, type Workspace } from "../workspace.js";

const NOBODY: OpenLineageSettings = {
  url: undefined,
  apiKey: undefined,
  namespace: "tests",
  file: undefined,
};

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
  await putVouchers(workspace.settings.zones.raw, times(3, voucher()));
});

/** The events of runs of some stages, each by itself. */
async function eventsOf(settings: Settings, ...runs: readonly (readonly Stage[])[]): Promise<RunEvent[]> {
  const file = path.join(await makeFolder(), "new/lineage.ndjson");
  for (const stages of runs)
    await run({ ...settings, openLineage: { ...NOBODY, file } }, EXECUTION_DATE, stages).catch(
      () => undefined,
    );
  return (await readFile(file, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as RunEvent);
}

/** The last path of each dataset, by which namespaces and zones differ. */
function tablesOf(datasets: RunEvent["inputs"]): string[] {
  return datasets.map(({ name }) => name.split(/[/.]/).slice(-2).join("."));
}

function namesOf(datasets: RunEvent["inputs"]): string[] {
  return datasets.map(({ namespace, name }) => `${namespace} ${name}`);
}

describe("a run that succeeds", () => {
  let start: RunEvent | undefined;
  let complete: RunEvent | undefined;

  beforeAll(async () => {
    [start, complete] = await eventsOf(workspace.settings, ["curate", "aggregate", "publish"]);
  });

  it("has a start event and a complete event, as one run of one job", () => {
    expect([start?.eventType, complete?.eventType]).toEqual(["START", "COMPLETE"]);
    expect(complete?.run.runId).toBe(start?.run.runId);
    expect(complete?.run.runId).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(complete?.job).toMatchObject({ namespace: "tests", name: "voucher_pipeline" });
    expect(complete?.run.facets).toMatchObject({
      nominalTime: { nominalStartTime: "2020-05-29T00:00:00Z" },
      executionParameters: {
        parameters: expect.arrayContaining([
          { key: "run_id", value: expect.stringMatching(/^2020-05-29T000000-[0-9a-f]{12}$/) },
        ]),
      },
      processing_engine: { name: "DuckDB" },
      test: {
        tests: expect.arrayContaining([
          expect.objectContaining({ name: "curated.vouchers: not_empty", status: "pass", actual: "0" }),
        ]),
      },
    });
  });

  it("names its inputs and outputs by OpenLineage's rules", () => {
    const { zones, consumptionUrl } = workspace.settings;
    const named = (zone: string, table: string) =>
      zone.startsWith("s3://")
        ? zone.replace(/^(s3:\/\/[^/]+)\//, "$1 ") + `/${table}`
        : `file ${zone}/${table}`;
    const { protocol, host, port, pathname } = new URL(consumptionUrl);
    const database =
      protocol === "sqlite:"
        ? `sqlite://${pathname} `
        : `mysql://${host.replace(/:.*/, "")}:${port || "3306"} ${pathname.slice(1)}.`;
    const answers = [
      "voucher_amount_usage",
      "voucher_answers",
      "voucher_country_most_used",
      "voucher_frequent_most_used",
      "voucher_recency_most_used",
    ];
    expect(namesOf(complete?.inputs ?? [])).toEqual([named(zones.raw, "vouchers")]);
    expect(namesOf(complete?.outputs ?? []).sort()).toEqual(
      [
        named(zones.curated, "vouchers"),
        named(zones.curated, "vouchers_rejected"),
        ...answers.map((table) => named(zones.provision, table)),
        ...answers.map((table) => `${database}${table}`),
      ].sort(),
    );
    expect(JSON.stringify(complete)).not.toContain("password");
  });

  it("has the columns, sizes and promises of each", () => {
    expect(complete?.inputs[0]).toMatchObject({
      facets: { schema: { fields: expect.arrayContaining([{ name: "voucher_amount" }]) } },
      inputFacets: { inputStatistics: { fileCount: 1, size: expect.any(Number) } },
    });
    const curated = complete?.outputs.find(({ name }) => name.endsWith("curated/vouchers"));
    expect(curated).toMatchObject({
      facets: {
        schema: {
          fields: expect.arrayContaining([
            expect.objectContaining({ name: "voucher_amount", type: "INTEGER", ordinal_position: 6 }),
          ]),
        },
        storage: { fileFormat: "parquet" },
        dataQualityAssertions: {
          assertions: expect.arrayContaining([
            expect.objectContaining({
              assertion: "known_at_execution_date",
              success: true,
              severity: "error",
            }),
          ]),
        },
      },
      outputFacets: { outputStatistics: { rowCount: 3, fileCount: 1 } },
    });
  });

  it("has for each column its raw columns", () => {
    const [raw] = complete?.inputs ?? [];
    const published = complete?.outputs.at(-1);
    expect(published?.name).toMatch(/voucher_recency_most_used$/);
    expect(published?.facets.columnLineage).toMatchObject({
      fields: {
        voucher_amount: {
          inputFields: [
            {
              namespace: raw?.namespace,
              name: raw?.name,
              field: "voucher_amount",
              transformations: [
                { type: "DIRECT", subtype: "TRANSFORMATION", description: "", masking: false },
              ],
            },
          ],
        },
      },
    });
    const { fields } = published?.facets.columnLineage as { fields: object };
    // What the header keeps out of the table is no column of it.
    expect(Object.keys(fields).sort()).toEqual(["country_code", "recency_segment", "voucher_amount"]);
  });
});

it("has single stages as separate jobs, each with the outputs of the previous one", async () => {
  const events = await eventsOf(workspace.settings, ["curate"], ["aggregate"], ["publish"]);
  const ended = events.filter(({ eventType }) => eventType === "COMPLETE");
  expect(ended.map(({ job }) => job.name)).toEqual([
    "voucher_pipeline.curate",
    "voucher_pipeline.aggregate",
    "voucher_pipeline.publish",
  ]);
  const [curate, aggregate, publish] = ended;
  expect(tablesOf(curate?.outputs ?? []).map((name) => name.split(".")[1])).toEqual([
    "vouchers",
    "vouchers_rejected",
  ]);
  expect(namesOf(aggregate?.inputs ?? [])).toEqual(
    namesOf(curate?.outputs ?? []).filter((name) =>
      aggregate?.inputs.some((input) => name.endsWith(` ${input.name}`)),
    ),
  );
  expect(aggregate?.inputs.length).toBeGreaterThan(0);
  expect(namesOf(publish?.inputs ?? []).sort()).toEqual(namesOf(aggregate?.outputs ?? []).sort());
  expect(publish?.outputs[0]?.facets.columnLineage).toMatchObject({
    fields: { country_code: { inputFields: [{ transformations: [{ subtype: "IDENTITY" }] }] } },
  });
});

it("has the fault of a failed run, the results of its audits, and no outputs", async () => {
  const failing = await makeWorkspace({ maxRejectedShare: "0" });
  await putVouchers(failing.settings.zones.raw, [voucher(), voucher({ voucher_amount: null })]);
  const [, fail] = await eventsOf(failing.settings, ["curate", "aggregate", "publish"]);
  expect(fail).toMatchObject({
    eventType: "FAIL",
    outputs: [],
    run: {
      facets: {
        errorMessage: {
          message: expect.stringMatching(/^AUDIT_FAILED: /),
          programmingLanguage: "TypeScript",
        },
        test: {
          tests: expect.arrayContaining([
            expect.objectContaining({ type: "rejected_share_is_allowed", status: "fail" }),
          ]),
        },
      },
    },
  });
  expect(fail?.inputs).toHaveLength(1);
});

describe("a service for events", () => {
  const servers: Server[] = [];

  afterAll(() => {
    for (const server of servers) server.close();
  });

  /** A service that answers with a status. */
  async function listen(status: number) {
    const heard: { path: string | undefined; headers: IncomingHttpHeaders; event: RunEvent }[] = [];
    const server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        heard.push({ path: request.url, headers: request.headers, event: JSON.parse(body) as RunEvent });
        response.writeHead(status).end("a body");
      });
    });
    servers.push(server);
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return { heard, url: `http://127.0.0.1:${address.port}/lineage` };
  }

  it("gets every event, with its key", async () => {
    const { heard, url } = await listen(201);
    const { environment } = workspace;
    const asked = { ...environment, OPENLINEAGE_URL: `${url}/`, OPENLINEAGE_API_KEY: "a-key" };
    expect(await pipeline(["-e", EXECUTION_DATE, "--json"], asked)).toMatchObject({ code: 0, stderr: "" });
    expect(heard.map(({ event }) => [event.eventType, event.job.namespace])).toEqual([
      ["START", "voucher-pipeline"],
      ["COMPLETE", "voucher-pipeline"],
    ]);
    for (const { path: asking, headers } of heard)
      expect([asking, headers.authorization, headers["content-type"]]).toEqual([
        "/lineage/api/v1/lineage",
        "Bearer a-key",
        "application/json",
      ]);
  });

  it.each<[string, () => Promise<string>, string]>([
    ["answers with an error", async () => (await listen(500)).url, "answered 500"],
    [
      "is not there",
      async () => {
        const { url } = await listen(200);
        await new Promise((closed) => servers.at(-1)?.close(closed));
        return url;
      },
      "is not reachable: connect ECONNREFUSED",
    ],
  ])("and %s is a warning, and does not change the outcome of the run", async (_what, where, reason) => {
    const url = await where();
    const openLineage = { ...NOBODY, url, apiKey: "a-secret-key" };
    const { warnings, published } = await run({ ...workspace.settings, openLineage });
    expect(published).not.toBeNull();
    expect(warnings).toEqual([
      expect.stringMatching(new RegExp(`^OpenLineage: http://127.0.0.1:.*/api/v1/lineage ${reason}`)),
      expect.stringContaining(reason),
    ]);
    expect(warnings.join()).not.toContain("a-secret-key");
  });
});
