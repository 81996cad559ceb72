import { spawnSync } from "node:child_process";
import { chmod, cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { load } from "js-yaml";
import { MAIN } from "../cli/command.js";
import { times, voucher } from "../raw-vouchers.js";
import { runOver } from "../run/running.js";
import { listFiles, putFile } from "../storage.js";
import { makeFolder, PROJECT } from "../workspace.js";

interface Workflow {
  readonly on: { readonly pull_request: { readonly paths: readonly string[] } };
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: {
    readonly compare: {
      readonly env: Readonly<Record<string, string>>;
      readonly steps: readonly { readonly name?: string; readonly run?: string; readonly env?: object }[];
    };
  };
}

const workflow = load(await readFile(path.join(PROJECT, "examples/github/compare.yaml"), "utf8")) as Workflow;
const { env, steps } = workflow.jobs.compare;

/** A folder of a pull request in which 880 wins a tie, with commands that stand in for npx and gh. */
async function pullRequest(): Promise<{ folder: string; run: (name: string) => number | null }> {
  const { environment } = await runOver([
    ...times(3, voucher()),
    ...times(3, voucher({ voucher_amount: "880" })),
  ]);
  const folder = await makeFolder();
  await cp(path.join(PROJECT, "sql"), path.join(folder, "sql"), { recursive: true });
  const bin = path.join(folder, "bin");
  await putFile(bin, "npx", `#!/bin/sh\nshift\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  await putFile(
    bin,
    "gh",
    '#!/bin/sh\nfor last; do :; done\necho "$*" > posted.txt\ncat "$last" >> posted.txt\n',
  );
  for (const name of ["npx", "gh"]) await chmod(path.join(bin, name), 0o755);
  const run = (name: string) => {
    const step = steps.find((one) => one.name === name);
    const PATH = `${bin}:${process.env["PATH"] ?? ""}`;
    // GitHub's own shell for a step.
    return spawnSync("bash", ["-e", "-c", step?.run ?? "exit 99"], {
      cwd: folder,
      env: {
        ...environment,
        SQL_DIRECTORY: path.join(folder, "sql"),
        SQL_VERSION: "v1",
        PATH,
        PULL_REQUEST: "7",
      },
    }).status;
  };
  return { folder, run };
}

describe("the workflow for GitHub", () => {
  it("has existing settings, and the right to comment", async () => {
    const example = await readFile(path.join(PROJECT, ".env.example"), "utf8");
    for (const name of Object.keys(env)) expect(example).toMatch(new RegExp(`^# +${name}=`, "m"));
    expect(workflow.permissions).toEqual({ contents: "read", "pull-requests": "write" });
    expect(workflow.on.pull_request.paths).toEqual(["sql/**"]);
  });

  it("posts what the pull request would change, also if that is too much", async () => {
    const { folder, run } = await pullRequest();
    const file = path.join(folder, "sql/v1/curated/vouchers.sql");
    const text = await readFile(file, "utf8");
    const other =
      "last_order_ts, first_order_ts, total_orders, CAST(voucher_amount + 1 AS INTEGER) AS voucher_amount,\n  days_between";
    await writeFile(
      file,
      text.replace("last_order_ts, first_order_ts, total_orders, voucher_amount,\n  days_between", other),
    );
    expect(run("Compare")).toBe(3);
    expect(run("Comment")).toBe(0);
    const posted = await readFile(path.join(folder, "posted.txt"), "utf8");
    expect(posted).toMatch(/^pr comment 7 .*--body-file comparison\.md\n# SQL v1 for /);
    expect(posted).toContain("\n- Peru · frequent 5-13: 880 → 881, ");
  });

  it("posts nothing if the SQL is invalid", async () => {
    const { folder, run } = await pullRequest();
    await writeFile(path.join(folder, "sql/v1/curated/vouchers.sql"), "SELECT");
    expect(run("Compare")).toBe(2);
    expect(run("Comment")).toBe(0);
    expect(await listFiles(folder)).not.toContain("posted.txt");
  });
});
