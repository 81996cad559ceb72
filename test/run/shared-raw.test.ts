import { cp, readFile, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { RunActivity } from "../../src/run/activity.js";
import { withSharedRaw } from "../../src/run/backfill/shared-raw.js";
import type { RawSource } from "../../src/run/context.js";
import type { Settings } from "../../src/settings/settings.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { withOtherRowsInFooter } from "../hostile/damage.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { fingerprint, makeWorkspace, SHIPPED_SQL, type Workspace } from "../workspace.js";
import { EXECUTION_DATE, run } from "./running.js";

async function workspaceOfThree(): Promise<Workspace> {
  const workspace = await makeWorkspace();
  await putVouchers(workspace.settings.zones.raw, times(3, voucher()));
  return workspace;
}

function sharing<Result>(settings: Settings, use: (raw: RawSource) => Promise<Result>): Promise<Result> {
  const date = parseExecutionDate(EXECUTION_DATE);
  return withSharedRaw(settings, date, new AbortController().signal, new RunActivity(), use);
}

/** Makes nonsense of a file in such a way that its size and its time do not tell. */
async function spoil(file: string): Promise<void> {
  const { atime, mtime, size } = await stat(file);
  await writeFile(file, Buffer.alloc(size));
  await utimes(file, atime, mtime);
}

describe("shared raw vouchers", () => {
  it("are read once, and not again by the runs", async () => {
    const { settings } = await workspaceOfThree();
    const file = path.join(settings.zones.raw, "vouchers/part.parquet");
    const content = await readFile(file);
    const reports = await sharing(settings, async (raw) => {
      await spoil(file);
      return [
        await run(settings, "2020-05-28", undefined, { raw }),
        await run(settings, "2020-05-29", undefined, { raw }),
      ];
    });
    await writeFile(file, content);
    for (const { execution_date, rendered_sql_hash, tables } of reports) {
      expect(await run(settings, execution_date)).toMatchObject({ rendered_sql_hash, tables });
    }
  });

  it("are refused, with the name of the file, if a footer tells other rows than its row groups", async () => {
    const { settings } = await workspaceOfThree();
    const file = path.join(settings.zones.raw, "vouchers/part.parquet");
    await writeFile(file, withOtherRowsInFooter(await readFile(file), 3));
    await expect(sharing(settings, () => Promise.resolve())).rejects.toMatchObject({
      code: "RAW_FILE_UNREADABLE",
      message: expect.stringContaining("  vouchers/part.parquet: "),
    });
  });

  it("are read again by a raw model that needs something else at another date", async () => {
    const { folder, settings } = await workspaceOfThree();
    const sqlDirectory = path.join(folder, "sql");
    await cp(SHIPPED_SQL, sqlDirectory, { recursive: true });
    const model = path.join(sqlDirectory, "v1/raw/vouchers.sql");
    const text = await readFile(model, "utf8");
    const dated = text.replace("parsed AS (", "parsed AS ( -- {{ execution_date }}");
    expect(dated).not.toBe(text);
    await writeFile(model, dated);
    const changed = { ...settings, sqlDirectory };
    await sharing(changed, async (raw) => {
      await spoil(path.join(settings.zones.raw, "vouchers/part.parquet"));
      await run(changed, EXECUTION_DATE, undefined, { raw });
      await expect(run(changed, "2020-05-28", undefined, { raw })).rejects.toMatchObject({
        code: "RAW_FILES_CHANGED",
        message: expect.stringContaining("vouchers/part.parquet"),
      });
    });
  });

  it("leave nothing behind", async () => {
    const { folder, settings } = await workspaceOfThree();
    await sharing(settings, () => Promise.resolve());
    expect(await fingerprint(path.join(folder, "temp"))).toEqual({});
  });

  it("are refused if a file is not readable, by its name", async () => {
    const { settings } = await workspaceOfThree();
    await writeFile(path.join(settings.zones.raw, "vouchers/broken.parquet"), "nonsense");
    await expect(sharing(settings, () => Promise.resolve())).rejects.toMatchObject({
      code: "RAW_FILE_UNREADABLE",
      message: expect.stringContaining("vouchers/broken.parquet"),
    });
  });
});
