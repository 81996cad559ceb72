import { messageOf } from "../../base/errors.js";
import { markdownOf } from "../../record/markdown.js";
import { pageOf } from "../../record/page.js";
import type { ReportAddresses } from "../../record/run-record.js";
import { storyOf } from "../../record/story.js";
import type { RunContext } from "../context.js";
import type { RunObserver } from "./observer.js";

/** Writes the report of every run for people, as a page and as Markdown. */
export const runReport: RunObserver = {
  name: "the report of the run",
  ended: async (context, end) => {
    const { journal, runId, settings, zones } = context;
    const story = storyOf(end);
    try {
      const reports = await zones.openDocuments(settings.runReports, "RUN_REPORTS");
      await Promise.all([
        reports.put(`${runId}.html`, { content: pageOf(story), contentType: "text/html; charset=utf-8" }),
        reports.put(`${runId}.md`, {
          content: markdownOf(story),
          contentType: "text/markdown; charset=utf-8",
        }),
      ]);
    } catch (error) {
      throw new Error(`cannot write it to ${settings.runReports}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    journal.note({ run_report: addressesOf(context) });
  },
};

/** The addresses of a run's report. */
export function addressesOf({ runId, settings }: Pick<RunContext, "runId" | "settings">): ReportAddresses {
  const address = `${settings.runReports}/${runId}`;
  return { html: `${address}.html`, markdown: `${address}.md` };
}
