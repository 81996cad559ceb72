import { scaleQuantize } from "d3-scale";

/** The steps of the heat map, which the style gives colours: `heat-1` for the lowest amounts. */
const STEPS = [1, 2, 3, 4, 5, 6] as const;

/** The colours of amounts. */
export interface Heat {
  /** The class of an amount's colour. */
  readonly classOf: (amount: number) => string;
  /** Each colour that some amount has, with the lowest and the highest of them. */
  readonly legend: readonly { readonly name: string; readonly from: number; readonly to: number }[];
}

/** Spreads the colours over the amounts by their order: one that is far above the others leaves them their differences. */
export function heatOf(amounts: Iterable<number>): Heat {
  const known = [...new Set(amounts)].sort((a, b) => a - b);
  const step = scaleQuantize<number>([0, Math.max(1, known.length - 1)], STEPS);
  const steps = new Map(known.map((amount, index) => [amount, step(index)]));
  const classOf = (amount: number) => `heat-${String(steps.get(amount) ?? STEPS[0])}`;
  const legend = STEPS.flatMap((colour) => {
    const [from, ...more] = known.filter((amount) => steps.get(amount) === colour);
    return from === undefined ? [] : [{ name: `heat-${colour}`, from, to: more.at(-1) ?? from }];
  });
  return { classOf, legend };
}
