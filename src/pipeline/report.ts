import type { PublishResult } from "../consumption/publish.js";
import type { Row } from "../engine/engine.js";

/** The parts of a run, in their order. Each can run alone, and reads what the one before left at rest. */
export const STAGES = ["curate", "aggregate", "publish"] as const;
export type Stage = (typeof STAGES)[number];

/** A raw file that a run read. */
export interface InputFile {
  readonly path: string;
  readonly bytes: number;
  readonly version: string;
}

/** A partition that a run wrote. */
export interface OutputTable {
  readonly model: string;
  /** Where the partition is, in the zone. */
  readonly uri: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface PassedAudit {
  readonly model: string;
  readonly audit: string;
}

/** Everything a run can say of itself once it has succeeded. It is what `--json` prints and the run's record holds. */
export interface RunReport {
  readonly run_id: string;
  readonly execution_date: string;
  readonly stages: readonly Stage[];
  readonly sql_version: string;
  readonly sql_hash: string;
  readonly engine: string;
  readonly inputs: readonly InputFile[];
  /** The rows of each measure, by its name: `measures.row_accounting`. */
  readonly measures: Readonly<Record<string, readonly Row[]>>;
  readonly tables: readonly OutputTable[];
  readonly audits: readonly PassedAudit[];
  readonly published: PublishResult | null;
  readonly warnings: readonly string[];
  readonly seconds: number;
}
