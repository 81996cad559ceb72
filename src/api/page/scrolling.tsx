import type { ComponentChildren, VNode } from "preact";

interface ScrollingProps {
  /** What it is, or the id of the heading that says so. */
  readonly name: { readonly label: string } | { readonly heading: string };
  /** Whether it is to scroll up and down, too. */
  readonly isTall?: boolean;
  readonly children: ComponentChildren;
}

/** Room for a table that is wider than the window: it scrolls by itself, by keyboard, too. */
export function Scrolling({ name, isTall = false, children }: ScrollingProps): VNode {
  const named = "label" in name ? { "aria-label": name.label } : { "aria-labelledby": name.heading };
  return (
    <div class={isTall ? "scrolling tall" : "scrolling"} role="region" tabIndex={0} {...named}>
      {children}
    </div>
  );
}
