import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { readHistory } from "../../src/introspect/history.js";
import { pipeline } from "../cli/warm-command.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { run } from "../run/running.js";
import { getFile, hashesOf, listFiles } from "../storage.js";
import { makeWorkspace, type Workspace } from "../workspace.js";

/** What would be markup, a link, a cell or a line of its own, if it were not taken for itself. */
const HOSTILE = "<script>alert(1)</script>|`*x*`\n# [y](https://evil.example)";

const DAY_BEFORE = "2020-05-28";
const DAY = "2020-05-29";

let workspace: Workspace;
/** The two files of the run of the second day. */
let page: string;
let markdown: string;

/** On the second day Peru has another answer, on few vouchers, and a country with a hostile name is new. */
beforeAll(async () => {
  workspace = await makeWorkspace();
  const { zones } = workspace.settings;
  await putVouchers(zones.raw, times(3, voucher({ voucher_amount: "1000" })));
  await run(workspace.settings, DAY_BEFORE);
  await putVouchers(zones.raw, [
    ...times(4, voucher()),
    voucher({ country_code: HOSTILE }),
    ...times(2, voucher({ voucher_amount: null })),
  ]);
  const { run_id } = await run(workspace.settings, DAY);
  [page, markdown] = await reportOf(run_id);
});

async function reportOf(runId: string): Promise<[page: string, markdown: string]> {
  const file = async (ending: string) =>
    (await getFile(workspace.settings.runReports, `${runId}.${ending}`)).toString();
  return [await file("html"), await file("md")];
}

describe("the report of a run", () => {
  it("has the result in five sentences", () => {
    const [heading, ...sentences] = markdown.split("\n\n").slice(0, 6);
    expect(heading).toBe("# Run for 29 May 2020");
    expect(sentences).toEqual([
      "The voucher answers for 29 May 2020 are published.",
      "5 of 7 rows are used; 2 (28.6%) were rejected because a value is missing or invalid, most often for voucher amount missing, and none came after that date.",
      "4 of 4 answers changed since 28 May 2020.",
      "4 answers: 0 are sure, 2 likely and 2 toss-ups. Do not stake a campaign on a toss-up.",
      "All 43 checks passed. There is nothing to do.",
    ]);
    for (const sentence of sentences) expect(page).toContain(`<p><bdi>${sentence}</bdi></p>`);
  });

  it("has changed and uncertain answers, rows by reason, checks, times, and the way to make it again", () => {
    expect(markdown).toContain("\n- Peru · frequent 5-13: 1000 → 2640, likely (94.2%), on 4 vouchers\n");
    expect(markdown).toMatch(/\n\| Peru · frequent 5-13 \| 2,640 \| likely \(94\.2%\) \| 4 \| 4 \|\n/);
    expect(markdown).toContain("\n| `voucher_amount_missing` | 2 | 28.6% |  | vouchers/part.parquet |\n");
    expect(markdown).toMatch(
      /\n\| `curated\.vouchers` \| `not_empty` \| passed \| 0 \| none \| [A-Z].*\. \|\n/,
    );
    expect(markdown).toContain(
      "\n| `voucher_amount_missing` | Peru | 2 | missing | vouchers/part.parquet |\n",
    );
    expect(markdown).toMatch(/\n\| commit \| \d+\.\d{3} \|\n/);
    expect(markdown).toMatch(/\n\| hash of the SQL files \| `[0-9a-f]{64}` \|\n/);
    expect(markdown).toMatch(/\nnpx pipeline replay 2020-05-29T000000-[0-9a-f]{12}\n/);
  });

  it("treats text from the data as plain text, in both formats", () => {
    expect(page).not.toContain("<script");
    expect(page).toContain("&lt;script>alert(1)&lt;/script>");
    expect(page).toContain("default-src 'none'");
    expect(markdown).toContain(
      "\\<script\\>alert(1)\\</script\\>\\|\\`\\*x\\*\\`\\\\n# \\[y\\](https:\\//evil.example)",
    );
    expect(markdown).not.toMatch(/(^|[^\\])<script/);
  });

  it("is the same from the record, and the run names it", async () => {
    const { run_id, report } = (await readHistory(workspace.settings, { limit: 1 }))[0] ?? {};
    expect(report?.run_report?.markdown).toBe(`${workspace.settings.runReports}/${String(run_id)}.md`);
    const { code, stdout } = await pipeline(["runs", String(run_id), "--markdown"], workspace.environment);
    expect({ code, stdout }).toEqual({ code: 0, stdout: markdown });
  });

  it("exists for a failed run, too, with its fault, and the message names it", async () => {
    const before = await hashesOf(workspace.settings.zones.provision);
    const args = ["-e", "2020-05-30", "--json"];
    const { code, stderr } = await pipeline(args, { ...workspace.environment, MAX_REJECTED_SHARE: "0.1" });
    expect(code).toBe(3);
    const { error } = JSON.parse(stderr) as { error: { report: string } };
    const [failed, failedMarkdown] = await reportOf(path.basename(error.report, ".html"));
    expect(failed).toContain("✕ failed");
    expect(failed).toContain("The run for 30 May 2020 failed and published nothing");
    expect(failedMarkdown).toContain("\n5 of 7 rows are used; 2 (28.6%) were rejected");
    expect(failedMarkdown).toContain(
      "\nAUDIT_FAILED: measures.row_accounting fails the audit rejected_share_is_allowed.",
    );
    expect(await hashesOf(workspace.settings.zones.provision)).toEqual(before);
  });

  it("has the changes that stopped a run", async () => {
    await putVouchers(workspace.settings.zones.raw, times(3, voucher({ voucher_amount: "7" })));
    const { code, stderr } = await pipeline(
      ["-e", "2020-06-01", "--max-changed", "0"],
      workspace.environment,
    );
    expect(code).toBe(3);
    const [, runId = ""] = /\nreport: .*\/(.*)\.html\n$/.exec(stderr) ?? [];
    const [, stopped] = await reportOf(runId);
    expect(stopped).toContain(
      "\n4 of 4 answers would change since 29 May 2020. The limit is 0 (--max-changed): stopped.\n",
    );
    expect(stopped).toContain("\nThe limit is 0 (--max-changed): stopped.\n");
  });

  it("is a warning if it is not writable, and the run ends normally", async () => {
    const file = path.join(workspace.folder, "file");
    await writeFile(file, "");
    const { code, stdout, stderr } = await pipeline(["-e", DAY], {
      ...workspace.environment,
      RUN_REPORTS: `${file}/runs`,
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: the report of the run: cannot write it to .*\/file\/runs: ENOTDIR/);
    expect(stdout).not.toContain("Report: ");
  });

  it("leaves no other file in its folder", async () => {
    const names = await listFiles(workspace.settings.runReports);
    expect(names.filter((name) => !/^2020-\d\d-\d\dT000000-[0-9a-f]{12}\.(html|md)$/.test(name))).toEqual([]);
  });
});
