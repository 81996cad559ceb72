import { rowCountsOf } from "../../record/row-counts.js";
import type { RunObserver } from "./observer.js";

/** Logs the start and the end of each run: numbers, names and codes, but no data. */
export const logged: RunObserver = {
  name: "the log",
  began: ({ activity, stages, version }) => {
    const { name: sql_version, hash: sql_hash } = version;
    activity.log?.info({ stages, sql_version, sql_hash }, "run begun");
    return Promise.resolve();
  },
  ended: ({ activity }, { outcome, fault, report }) => {
    const { answers, published, seconds, tables } = report;
    const level = outcome === "failed" ? "error" : "info";
    activity.log?.[level](
      {
        outcome,
        error_code: fault?.code,
        seconds,
        rows: rowCountsOf(report),
        tables: tables.length,
        published: published?.isNew,
        changed_answers: answers?.changed.count,
      },
      "run ended",
    );
    return Promise.resolve();
  },
};
