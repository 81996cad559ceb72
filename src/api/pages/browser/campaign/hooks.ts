import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type PricingError, pricingErrorOf, type Wait } from "./ask-service.js";
import { type AnsweredPiece, type Campaign, previewFile, priceFile, type Progress } from "./pricing.js";

/** Options that change faster, as a number that is typed, are asked for once. */
const SETTLE_MILLISECONDS = 250;

/** How far the preview of a file is. */
export type PreviewStage =
  | { readonly name: "asking" }
  | { readonly name: "answered"; readonly answer: AnsweredPiece }
  | { readonly name: "failed"; readonly error: PricingError };

const ASKING: PreviewStage = { name: "asking" };

/** Asks for the first lines of a file whenever it or the options change. */
export function usePreview(
  file: File | undefined,
  query: string,
): { readonly stage: PreviewStage; readonly retry: () => void } {
  const [stage, setStage] = useState<PreviewStage>(ASKING);
  const [attempt, setAttempt] = useState(1);
  useEffect(() => {
    if (file === undefined) return undefined;
    const cancelling = new AbortController();
    setStage(ASKING);
    const timer = setTimeout(() => {
      void previewed(file, query, cancelling.signal).then((next) => {
        if (!cancelling.signal.aborted) setStage(next);
      });
    }, SETTLE_MILLISECONDS);
    return () => {
      clearTimeout(timer);
      cancelling.abort();
    };
  }, [file, query, attempt]);
  return {
    stage,
    retry: () => {
      setAttempt(attempt + 1);
    },
  };
}

async function previewed(file: File, query: string, signal: AbortSignal): Promise<PreviewStage> {
  try {
    return { name: "answered", answer: await previewFile(file, new URLSearchParams(query), { signal }) };
  } catch (error) {
    return { name: "failed", error: pricingErrorOf(error) };
  }
}

/** Often enough to be seen moving, and seldom enough to cost nothing. */
const SHOWN_MILLISECONDS = 200;
const NOTHING: Progress = { lines: 0, share: 0, seconds: 0 };

/** How far the pricing of a file is. */
export type PricingStage =
  | { readonly name: "waiting" }
  | { readonly name: "under way"; readonly progress: Progress; readonly wait: Wait | undefined }
  | { readonly name: "cancelled" }
  /** `lines` were answered before. */
  | { readonly name: "failed"; readonly error: PricingError; readonly lines: number }
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
    show({ name: "failed", error: pricingErrorOf(error), lines: progress.lines });
  }
}

/** Gives the focus to an element that appears: what had it is gone. */
export function useFocus<Focused extends HTMLElement>(): RefObject<Focused | null> {
  const element = useRef<Focused>(null);
  useEffect(() => {
    element.current?.focus();
  }, []);
  return element;
}
