import type { VNode } from "preact";
import { counted, percent } from "../../../base/words.js";
import { FLOW, type FlowNode, flowShapeOf, type Stream } from "./flow-shape.js";

export type { Stream };

/** A longer name would leave the picture; it is told in full beside it. */
const NAME_LENGTH = 23;

const LETTERS = new Intl.Segmenter();

/** What a number of things parts into, as bands that are as wide as the parts. Nothing where nothing flows. */
export function Flow({ stream }: { readonly stream: Stream }): VNode | null {
  if (stream.value <= 0) return null;
  const { height, whole, parts, partsOfParts, ribbons } = flowShapeOf(stream);
  return (
    <svg class="flow" viewBox={`0 0 ${FLOW.width} ${height}`} role="img" aria-label={inWords(stream)}>
      {ribbons.map(({ kind, path, thickness }, index) => (
        <path key={index} class={`ribbon ${kind ?? ""}`} d={path} stroke-width={thickness} />
      ))}
      {[whole, ...parts, ...partsOfParts].map(({ kind, x, y, height: nodeHeight }, index) => (
        <rect
          key={index}
          class={`node ${kind ?? ""}`}
          x={x}
          y={y}
          width={FLOW.nodeWidth}
          height={nodeHeight}
        />
      ))}
      <text x={whole.x} y="11">
        {headOf(stream)}
      </text>
      {parts.map((node, index) => (
        <text key={index} x={node.x} y={node.y - 5}>
          {headOf(node.stream)}
        </text>
      ))}
      {partsOfParts.map((node, index) => (
        <text key={index} x={node.x + FLOW.nodeWidth + 4} y={middleOf(node)} dy="0.32em">
          {shortened(node.stream.label)}
        </text>
      ))}
    </svg>
  );
}

function headOf({ value, label }: Stream): string {
  return `${counted(value)} ${label}`;
}

/** Of a bar that is lower than its line, where the line begins is where the bar does. */
function middleOf({ y, height }: FlowNode): number {
  return y + Math.max(height, FLOW.lineHeight - 6) / 2;
}

function shortened(name: string): string {
  const letters = [...LETTERS.segment(name)].map(({ segment }) => segment);
  return letters.length <= NAME_LENGTH ? name : `${letters.slice(0, NAME_LENGTH - 1).join("")}…`;
}

/** The picture for whoever hears it: `20,000 rows read: 17,890 curated (89.5%), 2,110 rejected (10.6%): 2,110 late`. */
function inWords({ parts = [], ...whole }: Stream): string {
  const told = parts
    .filter(({ value }) => value > 0)
    .map((part) => {
      const within = (part.parts ?? []).filter(({ value }) => value > 0).map(headOf);
      const reasons = within.length === 0 ? "" : `, of which ${within.join(" and ")}`;
      return `${headOf(part)} (${percent(part.value / whole.value)})${reasons}`;
    });
  return told.length === 0 ? headOf(whole) : `${headOf(whole)}: ${told.join(", ")}`;
}
