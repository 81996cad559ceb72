import type { VNode } from "preact";
import { useFocus } from "./use-focus.js";

/** A pricing that somebody has ended. */
export function Cancelled({ onRestart }: { readonly onRestart: () => void }): VNode {
  const restart = useFocus<HTMLButtonElement>();
  return (
    <section class="stage">
      <p>
        <strong>Cancelled.</strong> Nothing of it is kept.
      </p>
      <button type="button" ref={restart} onClick={onRestart}>
        Price it from the start
      </button>
    </section>
  );
}
