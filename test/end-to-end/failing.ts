import { cp, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect } from "@jest/globals";
import type { Settings } from "../../src/settings/settings.js";
import { readConsumption } from "../consumption/reading.js";
import { times, voucher } from "../raw-vouchers.js";
import { run, runOver } from "../run/running.js";
import { hashesOf } from "../storage.js";
import { SHIPPED_SQL, type Workspace } from "../workspace.js";

/** A good raw file as CSV. */
export const HEADER = "timestamp,country_code,last_order_ts,first_order_ts,total_orders,voucher_amount";
export const LINE = "2020-05-01,Peru,2020-04-20,2019-01-01,7,2640";

/** What readers can see, in the zones and in the database. */
export async function visible({ settings }: Pick<Workspace, "settings">): Promise<object> {
  return {
    curated: await hashesOf(settings.zones.curated),
    provision: await hashesOf(settings.zones.provision),
    consumption: await readConsumption(settings),
  };
}

/** A workspace with a publication in it. */
export interface GoodWorkspace extends Workspace {
  /** The folder of the raw vouchers. */
  readonly raw: string;
  readonly before: object;
}

/** A workspace with a good publication, into whose raw zone the test then puts something bad. */
export async function goodWorkspace(): Promise<GoodWorkspace> {
  const workspace = await runOver(times(3, voucher()));
  return { ...workspace, raw: `${workspace.settings.zones.raw}/vouchers`, before: await visible(workspace) };
}

/** Expects a run to fail with a code and all of some words, and everything that readers see to be as it was. */
export async function expectFailure(
  workspace: GoodWorkspace,
  code: string,
  words: readonly string[],
  settings = workspace.settings,
): Promise<string> {
  const failure: unknown = await run(settings).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: "PipelineError", code });
  for (const word of words) expect((failure as Error).message).toContain(word);
  expect(await visible(workspace)).toEqual(workspace.before);
  return (failure as Error).message;
}

/** A good workspace, and settings by which runs use the project's SQL with some files in the place of others, or new. */
export async function withSql(files: Readonly<Record<string, string>>): Promise<{
  workspace: GoodWorkspace;
  settings: Settings;
}> {
  const workspace = await goodWorkspace();
  const sqlDirectory = path.join(workspace.folder, "sql");
  await cp(SHIPPED_SQL, sqlDirectory, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(sqlDirectory, "v1", name), text);
  }
  return { workspace, settings: { ...workspace.settings, sqlDirectory } };
}
