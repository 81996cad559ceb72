import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { counting } from "../../../../base/words.js";
import { Notice } from "../../notice.js";
import type { Trouble } from "./trouble.js";

interface FailureProps {
  readonly trouble: Trouble;
  /** How many lines were answered before. */
  readonly lines?: number;
  /** Whether it stands in the place of what had the focus. */
  readonly takesFocus?: boolean;
  readonly onRetry: () => void;
}

/** What went wrong, and how to go on. */
export function Failure({
  trouble: { title, detail, errors },
  lines = 0,
  takesFocus = false,
  onRetry,
}: FailureProps): VNode {
  const retry = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (takesFocus) retry.current?.focus();
  }, [takesFocus]);
  const more = errors.filter(({ message }) => !detail.includes(message));
  return (
    <section class="stage" aria-label="What went wrong">
      <Notice kind="bad">
        <strong>{title}.</strong> {detail}
        {lines > 0 &&
          ` The ${counting(lines, "line")} before went well; a line that is named is counted from there.`}
      </Notice>
      {more.length > 0 && (
        <ul>
          {more.map(({ field, message }) => (
            <li key={field}>
              <code>{field}</code> {message}
            </li>
          ))}
        </ul>
      )}
      <p>Choose another file, change how to answer, or try it once more.</p>
      <button type="button" ref={retry} onClick={onRetry}>
        Try again
      </button>
    </section>
  );
}
