/**
 * How a column comes of another one, in the words of OpenLineage. The first three are direct, from the weakest to the strongest:
 * the value itself is made of it. The others are indirect: it decides which value, or which rows, there are.
 */
export const DIRECT = ["IDENTITY", "TRANSFORMATION", "AGGREGATION"] as const;
export const INDIRECT = ["CONDITIONAL", "WINDOW", "FILTER", "GROUP_BY", "JOIN", "SORT"] as const;
export type Derivation = (typeof DIRECT)[number] | (typeof INDIRECT)[number];

/** A column that another comes of. */
export interface Source {
  /** A model by its name; of a raw model the files that it reads, where the raw model itself is traced. */
  readonly relation: string;
  readonly column: string;
  /** Every way in which it does, sorted. */
  readonly derivations: readonly Derivation[];
}

/** What a column, or the choice of rows, comes of. Nothing in it ever changes. */
export class Sources {
  static readonly NONE = new Sources(new Map());
  readonly #byColumn: ReadonlyMap<string, ReadonlySet<Derivation>>;

  private constructor(byColumn: ReadonlyMap<string, ReadonlySet<Derivation>>) {
    this.#byColumn = byColumn;
  }

  /** A column as it is. */
  static of(relation: string, column: string): Sources {
    return new Sources(new Map([[keyOf(relation, column), new Set<Derivation>(["IDENTITY"])]]));
  }

  /** All that any of them comes of. */
  static all(every: readonly Sources[]): Sources {
    if (every.length === 1 && every[0] !== undefined) return every[0];
    const merged = new Map<string, Set<Derivation>>();
    for (const [key, derivations] of every.flatMap((sources) => [...sources.#byColumn]))
      merged.set(key, new Set([...(merged.get(key) ?? []), ...derivations]));
    return new Sources(merged);
  }

  /** What something comes of that is derived from what comes of these. */
  by(derivation: Derivation): Sources {
    return this.#map((inner) => composed(derivation, inner));
  }

  /** Without what only puts rows in order: whoever reads them sees no order. */
  withoutOrder(): Sources {
    const kept = [...this.#byColumn]
      .map(([key, derivations]) => [key, new Set([...derivations].filter((one) => one !== "SORT"))] as const)
      .filter(([, derivations]) => derivations.size > 0);
    return new Sources(new Map(kept));
  }

  /** The same, where each column that is known to come of others is told by those. */
  through(resolve: (relation: string, column: string) => Sources | undefined): Sources {
    return Sources.all(
      this.list().map((source) => {
        const sources = resolve(source.relation, source.column) ?? Sources.of(source.relation, source.column);
        return Sources.all(source.derivations.map((derivation) => sources.by(derivation)));
      }),
    );
  }

  /** One by one, sorted by relation and column. */
  list(): Source[] {
    return [...this.#byColumn]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, derivations]) => {
        const [relation, column] = JSON.parse(key) as [string, string];
        return { relation, column, derivations: [...derivations].sort() };
      });
  }

  /** The columns whose values it is made of; if there are none, those that decide it. */
  origins(): Pick<Source, "relation" | "column">[] {
    const all = this.list();
    const direct = all.filter(({ derivations }) => !derivations.every(isIndirect));
    return (direct.length > 0 ? direct : all).map(({ relation, column }) => ({ relation, column }));
  }

  #map(change: (derivation: Derivation) => Derivation): Sources {
    return new Sources(
      new Map([...this.#byColumn].map(([key, derivations]) => [key, new Set([...derivations].map(change))])),
    );
  }
}

/** Whether it is not the value itself that comes of the column. */
export function isIndirect(derivation: Derivation): boolean {
  return rankOf(derivation) < 0;
}

/** What is indirect stays so; of two that are direct the stronger one holds. */
function composed(outer: Derivation, inner: Derivation): Derivation {
  if (isIndirect(outer)) return outer;
  return isIndirect(inner) || rankOf(inner) > rankOf(outer) ? inner : outer;
}

/** The place among those that are direct, or -1. */
function rankOf(derivation: Derivation): number {
  return (DIRECT as readonly Derivation[]).indexOf(derivation);
}

function keyOf(relation: string, column: string): string {
  return JSON.stringify([relation, column]);
}
