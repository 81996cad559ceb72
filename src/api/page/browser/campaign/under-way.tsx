import type { VNode } from "preact";
import { counted, counting, percent } from "../../../../base/words.js";
import type { Wait } from "./ask.js";
import type { Progress } from "./price-file.js";
import { useFocus } from "./use-focus.js";
import { WAITS } from "./waits.js";

interface UnderWayProps {
  readonly progress: Progress;
  readonly wait: Wait | undefined;
  readonly onCancel: () => void;
}

/** How far the pricing of a file is. */
export function UnderWay({ progress: { lines, share, seconds }, wait, onCancel }: UnderWayProps): VNode {
  const cancel = useFocus<HTMLButtonElement>();
  return (
    <section class="stage" aria-labelledby="under-way">
      <h2 id="under-way">Pricing the file</h2>
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
