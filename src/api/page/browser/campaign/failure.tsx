import type { VNode } from "preact";
import { Notice } from "../../notice.js";
import { counting } from "../../words.js";
import type { Trouble } from "./trouble.js";

interface FailureProps {
  readonly trouble: Trouble;
  /** How many lines were answered before. */
  readonly lines?: number;
  readonly onRetry: () => void;
}

/** What went wrong, and how to go on. */
export function Failure({ trouble: { title, detail, errors }, lines = 0, onRetry }: FailureProps): VNode {
  const more = errors.filter(({ message }) => !detail.includes(message));
  return (
    <section class="outcome" aria-label="What went wrong">
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
      <button type="button" onClick={onRetry}>
        Try again
      </button>
    </section>
  );
}
