import type { ComponentChildren, VNode } from "preact";
import { Name } from "../words.js";

interface WarningsProps {
  readonly warnings: readonly string[];
  /** Of which run they are, where that is not clear. */
  readonly children: ComponentChildren;
}

/** What a run did not fail for, and somebody should look at. */
export function Warnings({ warnings, children }: WarningsProps): VNode {
  return (
    <section>
      <h2>Warnings</h2>
      {children}
      {warnings.length === 0 ? (
        <p>There were none.</p>
      ) : (
        <ul>
          {warnings.map((warning, index) => (
            <li key={index}>
              <Warning text={warning} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** More than one line is a table of text. */
function Warning({ text }: { readonly text: string }): VNode {
  const name = <Name>{text}</Name>;
  return text.includes("\n") ? <pre>{name}</pre> : name;
}
