import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Gives the focus to an element that appears: what had it is gone. */
export function useFocus<Focused extends HTMLElement>(): RefObject<Focused | null> {
  const element = useRef<Focused>(null);
  useEffect(() => {
    element.current?.focus();
  }, []);
  return element;
}
