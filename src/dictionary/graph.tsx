import { linkHorizontal } from "d3-shape";
import type { VNode } from "preact";
import { addressOf, type Entry } from "./entries.js";

/** A node of the picture, and its sources. */
export interface Linked {
  readonly name: string;
  readonly reads: readonly string[];
}

/** The position of a node in the picture. Lengths are in pixels. */
interface Placed<Kind extends Linked> {
  readonly of: Kind;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

interface Layout<Kind extends Linked> {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly Placed<Kind>[];
  /** The paths of the lines, from each source to its reader. */
  readonly lines: readonly string[];
}

export const NODE_HEIGHT = 40;
const ROW_GAP = 12;
const COLUMN_GAP = 44;
const MARGIN = 4;
const LEAST_WIDTH = 90;

/**
 * Places each node to the right of its sources, and near to them. A line that passes a column has its own place
 * there, so that no node covers it.
 * @param widthOf the width of each text.
 */
export function layoutOf<Kind extends Linked>(
  all: readonly Kind[],
  widthOf: (one: Kind) => number,
): Layout<Kind> {
  const columns = columnsOf(all);
  const highest = Math.max(0, ...columns.map(({ length }) => length));
  const height = 2 * MARGIN + highest * (NODE_HEIGHT + ROW_GAP) - ROW_GAP;
  const placed = new Map<string, PlacedSlot<Kind>>();
  let x = MARGIN;
  for (const column of columns) {
    const width = Math.max(LEAST_WIDTH, ...column.map(({ of }) => (of === undefined ? 0 : widthOf(of))));
    const ownHeight = column.length * (NODE_HEIGHT + ROW_GAP) - ROW_GAP;
    const top = (height - ownHeight) / 2;
    for (const [index, slot] of nearToTheirs(column, placed).entries())
      placed.set(slot.name, { ...slot, x, y: top + index * (NODE_HEIGHT + ROW_GAP), width });
    x += width + COLUMN_GAP;
  }
  const slots = [...placed.values()];
  return {
    width: x - COLUMN_GAP + MARGIN,
    height,
    nodes: slots.flatMap(({ of, ...place }) => (of === undefined ? [] : [{ ...place, of }])),
    lines: slots.flatMap((slot) => linesTo(slot, placed)),
  };
}

/** A place in a column, for a node or for a passing line. Its sources are slots of the previous column. */
interface Slot<Kind> extends Linked {
  readonly of: Kind | undefined;
}

interface PlacedSlot<Kind> extends Slot<Kind> {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function columnsOf<Kind extends Linked>(all: readonly Kind[]): Slot<Kind>[][] {
  const depthOf = depthsOf(all);
  const columns: Slot<Kind>[][] = [];
  for (const one of all) {
    const depth = depthOf(one.name) ?? 0;
    const reads = one.reads.flatMap((name) => {
      const start = depthOf(name);
      return start === undefined ? [] : [wayTo(columns, name, start, depth)];
    });
    (columns[depth] ??= []).push({ name: one.name, of: one, reads });
  }
  return columns;
}

/** Leads a line through all columns between. Lines from the same source share their slots. */
function wayTo<Kind>(columns: Slot<Kind>[][], name: string, start: number, end: number): string {
  let from = name;
  for (let depth = start + 1; depth < end; depth++) {
    const by = `${name} by ${depth.toString()}`;
    const column = (columns[depth] ??= []);
    if (!column.some((slot) => slot.name === by)) column.push({ name: by, of: undefined, reads: [from] });
    from = by;
  }
  return from;
}

/** The length of the longest way from a node without sources, for each node. */
function depthsOf(all: readonly Linked[]): (name: string) => number | undefined {
  const byName = new Map(all.map((one) => [one.name, one]));
  const depths = new Map<string, number>();
  const depthOf = (name: string): number | undefined => {
    const one = byName.get(name);
    if (one === undefined) return undefined;
    const depth = depths.get(name) ?? Math.max(-1, ...one.reads.flatMap((read) => depthOf(read) ?? [])) + 1;
    depths.set(name, depth);
    return depth;
  };
  return depthOf;
}

function nearToTheirs<Kind>(
  column: readonly Slot<Kind>[],
  placed: ReadonlyMap<string, PlacedSlot<Kind>>,
): Slot<Kind>[] {
  const middleOf = ({ reads }: Slot<Kind>) => {
    const places = reads.flatMap((name) => placed.get(name)?.y ?? []);
    return places.reduce((sum, y) => sum + y, 0) / Math.max(1, places.length);
  };
  return column.toSorted((a, b) => middleOf(a) - middleOf(b) || (a.name < b.name ? -1 : 1));
}

const curve = linkHorizontal<unknown, [number, number]>();

function linesTo<Kind>(
  { of, reads, x, y, width }: PlacedSlot<Kind>,
  placed: ReadonlyMap<string, PlacedSlot<Kind>>,
): string[] {
  const target: [number, number] = [x, y + NODE_HEIGHT / 2];
  const lines = reads.flatMap((name) => {
    const read = placed.get(name);
    if (read === undefined) return [];
    const source: [number, number] = [read.x + read.width, read.y + NODE_HEIGHT / 2];
    return [curve({ source, target }) ?? ""];
  });
  return of === undefined ? [...lines, `M${target.join(",")}h${width.toString()}`] : lines;
}

/** The approximate width of a letter in the picture, in pixels. */
const LETTER = 7.3;
const PADDING = 10;

interface GraphProps {
  readonly entries: readonly Entry[];
  readonly title: string;
  /** The main model of the picture. */
  readonly marked?: Entry;
}

/** Models, each with lines from its sources. */
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
