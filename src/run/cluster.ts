import { SPARK, sparkReads } from "../models/dialect.js";
import type { Settings } from "../settings/settings.js";
import type { Cluster } from "./plan.js";

/** Who computes what is large; undefined where DuckDB computes it all. */
export function clusterOf({ engine }: Pick<Settings, "engine">): Cluster | undefined {
  return engine.kind === "duckdb" ? undefined : { dialect: SPARK, reads: sparkReads };
}
