/** The parts of a run, in their order. Each can run alone, and reads the partitions of the previous one. */
export const STAGES = ["curate", "aggregate", "publish"] as const;
export type Stage = (typeof STAGES)[number];
