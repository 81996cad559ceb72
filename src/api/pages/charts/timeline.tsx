import { scaleLinear, scalePoint } from "d3-scale";
import { curveStep, line } from "d3-shape";
import type { VNode } from "preact";
import { counted } from "../../../base/words.js";
import { dateInWords, type ExecutionDate, shortIso } from "../../../voucher/execution-date.js";

/** An amount at each of some dates, the earliest first; undefined if there was none. */
export interface TimelineProps {
  readonly dates: readonly ExecutionDate[];
  readonly amounts: readonly (number | undefined)[];
}

const SIZE = { width: 360, height: 130, left: 44, right: 12, top: 12, bottom: 24 };
const SMALL = { width: 72, height: 18, left: 3, right: 3, top: 3, bottom: 3 };

/** An amount over the publications, in steps. */
export function Timeline({ dates, amounts }: TimelineProps): VNode {
  const { path, x, y, ends } = shapeOf(amounts, SIZE);
  const labels = [...new Set([ends.least, ends.most])];
  const [first, last] = [dates[0], dates.at(-1)];
  return (
    <svg
      class="timeline"
      viewBox={`0 0 ${SIZE.width} ${SIZE.height}`}
      role="img"
      aria-label={inWords({ dates, amounts })}
    >
      {labels.map((amount) => (
        <g key={amount}>
          <line class="grid" x1={SIZE.left} x2={SIZE.width - SIZE.right} y1={y(amount)} y2={y(amount)} />
          <text x={SIZE.left - 6} y={y(amount)} dy="0.32em" text-anchor="end">
            {counted(amount)}
          </text>
        </g>
      ))}
      <path class="line" d={path} />
      {amounts.map((amount, index) =>
        amount === undefined ? null : (
          <circle key={index} class="point" cx={x(index)} cy={y(amount)} r="3">
            <title>{`${titleOf(dates[index])}: ${counted(amount)}`}</title>
          </circle>
        ),
      )}
      {first !== undefined && last !== undefined && (
        <>
          <text x={SIZE.left} y={SIZE.height - 6}>
            {shortIso(first)}
          </text>
          {dates.length > 1 && (
            <text x={SIZE.width - SIZE.right} y={SIZE.height - 6} text-anchor="end">
              {shortIso(last)}
            </text>
          )}
        </>
      )}
    </svg>
  );
}

/** The same chart in the size of a word. The text next to it describes it. */
export function Sparkline({ amounts }: Pick<TimelineProps, "amounts">): VNode {
  const { path, x, y } = shapeOf(amounts, SMALL);
  const last = amounts.at(-1);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${SMALL.width} ${SMALL.height}`}
      aria-hidden="true"
      focusable="false"
    >
      <path class="line" d={path} />
      {last !== undefined && <circle class="point" cx={x(amounts.length - 1)} cy={y(last)} r="2.5" />}
    </svg>
  );
}

function shapeOf(
  amounts: TimelineProps["amounts"],
  { width, height, left, right, top, bottom }: typeof SIZE,
) {
  const known = amounts.filter((amount) => amount !== undefined);
  const ends = { least: Math.min(...known), most: Math.max(...known) };
  const place = scalePoint(
    amounts.map((_amount, index) => index),
    [left, width - right],
  );
  const x = (index: number) => place(index) ?? left;
  const y = scaleLinear([ends.least, ends.most], [height - bottom, top]);
  const steps = line<number | undefined>()
    .defined((amount) => amount !== undefined)
    .x((_amount, index) => x(index))
    .y((amount) => y(amount ?? 0))
    .curve(curveStep);
  return { path: steps(amounts) ?? "", x, y, ends };
}

/** A timeline for screen readers: its start, and each step. */
function inWords({ dates, amounts }: TimelineProps): string {
  const steps = amounts.flatMap((amount, index) =>
    index > 0 && amount === amounts[index - 1]
      ? []
      : [`${amount === undefined ? "no answer" : counted(amount)} from ${titleOf(dates[index])}`],
  );
  return steps.join(", ");
}

function titleOf(date: ExecutionDate | undefined): string {
  return date === undefined ? "" : dateInWords(date);
}
