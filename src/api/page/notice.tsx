import type { ComponentChildren, VNode } from "preact";

/** @param kind `bad` for what needs somebody, `warn` for what may pass by itself. */
export function Notice({
  kind,
  children,
}: {
  readonly kind: "bad" | "warn";
  readonly children: ComponentChildren;
}): VNode {
  return (
    <p class={`notice ${kind}`} role="status">
      <span class="sign" aria-hidden="true">
        {kind === "bad" ? "✕" : "!"}
      </span>
      <span>{children}</span>
    </p>
  );
}
