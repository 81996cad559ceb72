import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { loadAll } from "js-yaml";
import { EXIT_CODES } from "../../src/base/exit-codes.js";
import { readSettings } from "../../src/settings/settings.js";
import { PROJECT } from "../workspace.js";

const read = (file: string) => readFile(path.join(PROJECT, file), "utf8");

const { bug, usage, data, unavailable, locked } = EXIT_CODES;
/** What a retry does not mend, and what it may. */
const LASTING = [bug, usage, data];
const PASSING = [unavailable, locked];

interface CronJob {
  spec: {
    jobTemplate: {
      spec: { podFailurePolicy: { rules: { action: string; onExitCodes?: { values: number[] } }[] } };
    };
  };
}

interface Deployment {
  spec: { template: { spec: { containers: { env: { name: string }[] }[] } } };
}

async function kubernetes() {
  const [config, secret, job] = loadAll(await read("examples/kubernetes/cronjob.yaml"));
  return {
    settings: {
      ...(config as { data: Record<string, string> }).data,
      ...(secret as { stringData: Record<string, string> }).stringData,
    },
    job: job as CronJob,
  };
}

describe("the examples of schedulers", () => {
  it("try again after the temporary exit codes, and after no others", async () => {
    const { job } = await kubernetes();
    const { rules } = job.spec.jobTemplate.spec.podFailurePolicy;
    expect(rules.find(({ action }) => action === "FailJob")?.onExitCodes?.values).toEqual(LASTING);
    expect(await read("examples/systemd/voucher-pipeline.service")).toContain(
      `RestartPreventExitStatus=${LASTING.join(" ")}\n`,
    );
    expect(await read("examples/airflow/voucher_pipeline.py")).toContain(
      `CAN_PASS = (${PASSING.join(", ")})\n`,
    );
  });

  it("have settings that exist and are valid", async () => {
    const { settings } = await kubernetes();
    const example = await read(".env.example");
    for (const name of Object.keys(settings)) expect(example).toMatch(new RegExp(`^# +${name}=`, "m"));
    expect(() => readSettings(settings)).not.toThrow();
    const [secret, deployment] = loadAll(await read("examples/kubernetes/api.yaml"));
    const { consumptionUrl } = readSettings({
      CONSUMPTION_URL: (secret as { stringData: Record<string, string> }).stringData["consumption-url"],
    });
    expect(consumptionUrl).not.toBe(settings["CONSUMPTION_URL"]);
    const [container] = (deployment as Deployment).spec.template.spec.containers;
    for (const { name } of container?.env ?? []) expect(example).toMatch(new RegExp(`^# +${name}=`, "m"));
  });
});
