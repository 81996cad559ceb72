import { useEffect, useState } from "preact/hooks";
import type { AnsweredPiece } from "./answered-piece.js";
import { previewFile } from "./preview-file.js";
import { type Trouble, troubleOf } from "./trouble.js";

/** Options that change faster, as a number that is typed, are asked for once. */
const SETTLE_MILLISECONDS = 250;

/** How far the preview of a file is. */
export type PreviewStage =
  | { readonly name: "asking" }
  | { readonly name: "answered"; readonly answer: AnsweredPiece }
  | { readonly name: "failed"; readonly trouble: Trouble };

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
    return { name: "failed", trouble: troubleOf(error) };
  }
}
