import type { VNode } from "preact";
import { addressOf, type Entry } from "./entries.js";
import { layoutOf, NODE_HEIGHT } from "./graph-layout.js";

/** A letter of the picture's type is about this wide, in pixels. */
const LETTER = 7.3;
const PADDING = 10;

interface GraphProps {
  readonly entries: readonly Entry[];
  readonly title: string;
  /** The one that the picture is about. */
  readonly marked?: Entry;
}

/** Models, each with lines from those that it reads. */
export function Graph({ entries, title, marked }: GraphProps): VNode {
  const { width, height, nodes, lines } = layoutOf(entries, ({ model }) =>
    Math.ceil(model.table.length * LETTER + 2 * PADDING),
  );
  return (
    <div class="scrolling" role="region" tabIndex={0} aria-label={title}>
      <svg class="graph" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="group">
        <title>{title}</title>
        {lines.map((path) => (
          <path key={path} d={path} />
        ))}
        {nodes.map(({ of, x, y, width: nodeWidth }) => (
          <a
            key={of.name}
            href={addressOf(of.name)}
            class={of === marked ? `${of.model.layer} marked` : of.model.layer}
            aria-current={of === marked ? "page" : undefined}
          >
            <rect x={x} y={y} width={nodeWidth} height={NODE_HEIGHT} rx="6" />
            <text class="layer" x={x + PADDING} y={y + 15}>
              {of.model.layer}
            </text>
            <text x={x + PADDING} y={y + 31}>
              {of.model.table}
            </text>
          </a>
        ))}
      </svg>
    </div>
  );
}
