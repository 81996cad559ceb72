/** The parts of a run, in their order. Each can run alone, and reads what the one before left at rest. */
export const STAGES = ["curate", "aggregate", "publish"] as const;
export type Stage = (typeof STAGES)[number];
