import { useEffect, useRef, useState } from "preact/hooks";
import type { Wait } from "./ask.js";
import { type Campaign, priceFile, type Progress } from "./price-file.js";
import { type Trouble, troubleOf } from "./trouble.js";

/** Often enough to be seen moving, and seldom enough to cost nothing. */
const SHOWN_MILLISECONDS = 200;
const NOTHING: Progress = { lines: 0, share: 0, seconds: 0 };

/** How far the pricing of a file is. */
export type PricingStage =
  | { readonly name: "waiting" }
  | { readonly name: "under way"; readonly progress: Progress; readonly wait: Wait | undefined }
  | { readonly name: "cancelled" }
  /** `lines` were answered before. */
  | { readonly name: "failed"; readonly trouble: Trouble; readonly lines: number }
  | { readonly name: "priced"; readonly campaign: Campaign };

interface Pricing {
  readonly stage: PricingStage;
  readonly start: () => void;
  readonly cancel: () => void;
}

const WAITING: PricingStage = { name: "waiting" };

/** Prices a file when told to. What was made of another file, or by other options, is forgotten. */
export function usePricing(file: File | undefined, query: string, executionDate: string): Pricing {
  const [stage, setStage] = useState<PricingStage>(WAITING);
  const cancelling = useRef<AbortController>(undefined);
  useEffect(() => {
    setStage(WAITING);
    return () => {
      cancelling.current?.abort();
    };
  }, [file, query]);
  const start = () => {
    if (file === undefined) return;
    const controller = new AbortController();
    cancelling.current = controller;
    const show = (next: PricingStage) => {
      if (cancelling.current === controller && !controller.signal.aborted) setStage(next);
    };
    void price(file, new URLSearchParams(query), executionDate, controller.signal, show);
  };
  const cancel = () => {
    cancelling.current?.abort();
    setStage({ name: "cancelled" });
  };
  return { stage, start, cancel };
}

async function price(
  file: File,
  query: URLSearchParams,
  executionDate: string,
  signal: AbortSignal,
  show: (stage: PricingStage) => void,
): Promise<void> {
  let progress = NOTHING;
  let shownAt = 0;
  show({ name: "under way", progress, wait: undefined });
  const onProgress = (next: Progress) => {
    progress = next;
    if (performance.now() - shownAt < SHOWN_MILLISECONDS) return;
    shownAt = performance.now();
    show({ name: "under way", progress, wait: undefined });
  };
  const onWait = (wait: Wait) => {
    show({ name: "under way", progress, wait });
  };
  try {
    const campaign = await priceFile(file, query, { executionDate, signal, onProgress, onWait });
    show({ name: "priced", campaign });
  } catch (error) {
    show({ name: "failed", trouble: troubleOf(error), lines: progress.lines });
  }
}
