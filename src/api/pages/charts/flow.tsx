import { scaleLinear } from "d3-scale";
import { linkHorizontal } from "d3-shape";
import type { VNode } from "preact";
import { counted, percent } from "../../../base/words.js";

/** What flows, and what it parts into. */
export interface Stream {
  readonly label: string;
  readonly value: number;
  /** Names its colour; a part of a part has that of the whole. */
  readonly kind?: string;
  /** Where they are more than the whole, they are drawn in proportion, as high as it. */
  readonly parts?: readonly Stream[];
}

/** A bar at which flows begin and end. */
interface FlowNode {
  readonly stream: Stream;
  readonly kind: string | undefined;
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

/** A band from one bar to another. */
interface Ribbon {
  readonly kind: string | undefined;
  readonly path: string;
  readonly thickness: number;
}

/** Where everything is, in a picture that is 360 wide. */
interface FlowShape {
  readonly height: number;
  readonly whole: FlowNode;
  readonly parts: readonly FlowNode[];
  readonly partsOfParts: readonly FlowNode[];
  readonly ribbons: readonly Ribbon[];
}

const FLOW = { width: 360, nodeWidth: 6, lineHeight: 16 } as const;

const COLUMNS = { whole: 0, parts: 110, partsOfParts: 200 } as const;
const WHOLE_HEIGHT = 120;
const GAP = 10;
/** What flows at all can be seen. */
const LEAST_HEIGHT = 1;

const curve = linkHorizontal<unknown, [number, number]>()
  .source((link) => (link as Link).from)
  .target((link) => (link as Link).to);

interface Link {
  readonly from: [number, number];
  readonly to: [number, number];
}

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

/** Places a stream, its parts below each other with room for a line above each, and their parts with room for a line beside. */
export function flowShapeOf(whole: Stream): FlowShape {
  const parts = flowing(whole.parts);
  const length = scaleLinear([0, Math.max(whole.value, sumOf(parts))], [0, WHOLE_HEIGHT]);
  const heightOf = (value: number) => Math.max(LEAST_HEIGHT, length(value));
  const top = 2 * FLOW.lineHeight;
  const root = nodeOf(whole, whole.kind, COLUMNS.whole, top, heightOf(whole.value));
  const [nodes, inner, ribbons]: [FlowNode[], FlowNode[], Ribbon[]] = [[], [], []];
  let leaves = top;
  let below = FLOW.lineHeight;
  for (const part of parts) {
    const node = nodeOf(part, part.kind, COLUMNS.parts, below + FLOW.lineHeight, heightOf(part.value));
    nodes.push(node);
    ribbons.push(ribbonOf(root, leaves, node));
    leaves += node.height;
    const within = placeWithin(node);
    inner.push(...within);
    let leavesPart = node.y;
    for (const innerNode of within) {
      ribbons.push(ribbonOf(node, leavesPart, innerNode));
      leavesPart += innerNode.height;
    }
    below = Math.max(bottomOf(node), ...within.map(slotBottomOf)) + GAP;
  }
  const height = Math.max(bottomOf(root), below - GAP) + 1;
  return { height, whole: root, parts: nodes, partsOfParts: inner, ribbons };
}

function placeWithin({ stream, kind, y, height }: FlowNode): FlowNode[] {
  const parts = flowing(stream.parts);
  const length = scaleLinear([0, Math.max(stream.value, sumOf(parts))], [0, height]);
  const placed: FlowNode[] = [];
  let top = y;
  for (const part of parts) {
    const node = nodeOf(part, kind, COLUMNS.partsOfParts, top, Math.max(LEAST_HEIGHT, length(part.value)));
    placed.push(node);
    top = slotBottomOf(node) + 1;
  }
  return placed;
}

function nodeOf(stream: Stream, kind: string | undefined, x: number, y: number, height: number): FlowNode {
  return { stream, kind, x, y, height };
}

function ribbonOf(from: FlowNode, leaves: number, to: FlowNode): Ribbon {
  const middle = to.height / 2;
  const link: Link = { from: [from.x + FLOW.nodeWidth, leaves + middle], to: [to.x, to.y + middle] };
  return { kind: to.kind, path: curve(link) ?? "", thickness: to.height };
}

function flowing(parts: readonly Stream[] = []): Stream[] {
  return parts.filter(({ value }) => value > 0);
}

function sumOf(parts: readonly Stream[]): number {
  return parts.reduce((sum, { value }) => sum + value, 0);
}

function bottomOf({ y, height }: FlowNode): number {
  return y + height;
}

/** A line of text needs room beside a bar that is lower than it. */
function slotBottomOf({ y, height }: FlowNode): number {
  return y + Math.max(height, FLOW.lineHeight - 1);
}
