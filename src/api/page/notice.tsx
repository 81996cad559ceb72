import type { ComponentChildren, VNode } from "preact";

/**
 * @param kind `bad` for what needs somebody, `warn` for what may pass by itself.
 * @param isAlert whether it answers what somebody has just done.
 */
export function Notice({
  kind,
  isAlert = false,
  children,
}: {
  readonly kind: "bad" | "warn";
  readonly isAlert?: boolean;
  readonly children: ComponentChildren;
}): VNode {
  return (
    <p class={`notice ${kind}`} role={isAlert ? "alert" : "status"}>
      <span class="sign" aria-hidden="true">
        {kind === "bad" ? "✕" : "!"}
      </span>
      <span>{children}</span>
    </p>
  );
}
