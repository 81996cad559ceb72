import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { counted, counting, percent } from "../../words.js";
import type { Wait } from "./ask.js";
import type { Progress } from "./price-file.js";

/** How often somebody who hears the page is told how far it is. */
const TOLD_SHARE = 0.25;

interface UnderWayProps {
  readonly progress: Progress;
  readonly wait: Wait | undefined;
  readonly onCancel: () => void;
}

/** How far the pricing of a file is. */
export function UnderWay({ progress: { lines, share, seconds }, wait, onCancel }: UnderWayProps): VNode {
  const cancel = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    cancel.current?.focus();
  }, []);
  const told = Math.floor(share / TOLD_SHARE) * TOLD_SHARE;
  return (
    <section class="outcome" aria-labelledby="under-way">
      <h2 id="under-way">Pricing the file</h2>
      <p class="visually-hidden" role="status">
        {wait === undefined ? `${percent(told)} of the file is priced` : WAITS[wait.reason]}
      </p>
      <progress aria-labelledby="under-way" value={share} max={1} />
      <p class="pace">
        {percent(share)}, {counting(lines, "line")}
        {seconds > 0 && `, ${counted(Math.round(lines / seconds))} a second`}
      </p>
      {wait !== undefined && (
        <p>
          {WAITS[wait.reason]} It goes on in {counting(Math.ceil(wait.seconds), "second")}.
        </p>
      )}
      <button type="button" class="second" ref={cancel} onClick={onCancel}>
        Cancel
      </button>
    </section>
  );
}

const WAITS: Readonly<Record<Wait["reason"], string>> = {
  limit: "Your key may not ask more often now.",
  away: "The service does not answer.",
};
