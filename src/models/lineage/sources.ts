/**
 * The ways in which a column derives from another one, in the words of OpenLineage. The first three are direct, from
 * the weakest to the strongest: the value comes from that column. The others are indirect: the column decides the
 * value, or the choice of rows.
 */
export const DIRECT = ["IDENTITY", "TRANSFORMATION", "AGGREGATION"] as const;
export const INDIRECT = ["CONDITIONAL", "WINDOW", "FILTER", "GROUP_BY", "JOIN", "SORT"] as const;
export type Derivation = (typeof DIRECT)[number] | (typeof INDIRECT)[number];

/** A column from which another one derives. */
export interface Source {
  /** The name of a model, or the files of a raw model if the raw model itself is traced. */
  readonly relation: string;
  readonly column: string;
  /** All ways of the derivation, sorted. */
  readonly derivations: readonly Derivation[];
}

/** The sources of a column, or of the choice of rows. It is immutable. */
export class Sources {
  static readonly NONE = new Sources(new Map());
  readonly #byColumn: ReadonlyMap<string, ReadonlySet<Derivation>>;

  private constructor(byColumn: ReadonlyMap<string, ReadonlySet<Derivation>>) {
    this.#byColumn = byColumn;
  }

  /** An unchanged column. */
  static of(relation: string, column: string): Sources {
    return new Sources(new Map([[keyOf(relation, column), new Set<Derivation>(["IDENTITY"])]]));
  }

  /** The sources of all of them together. */
  static all(every: readonly Sources[]): Sources {
    if (every.length === 1 && every[0] !== undefined) return every[0];
    const merged = new Map<string, Set<Derivation>>();
    for (const [key, derivations] of every.flatMap((sources) => [...sources.#byColumn]))
      merged.set(key, new Set([...(merged.get(key) ?? []), ...derivations]));
    return new Sources(merged);
  }

  /** The sources of a value that derives from these. */
  by(derivation: Derivation): Sources {
    return this.#map((inner) => composed(derivation, inner));
  }

  /** Without the sources that only order the rows: readers do not see an order. */
  withoutOrder(): Sources {
    const kept = [...this.#byColumn]
      .map(([key, derivations]) => [key, new Set([...derivations].filter((one) => one !== "SORT"))] as const)
      .filter(([, derivations]) => derivations.size > 0);
    return new Sources(new Map(kept));
  }

  /** Replaces each column by the columns it derives from, if these are known. */
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

  /** The columns from which its values come; if there are none, the columns that decide it. */
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

/** Whether the value itself does not come from the column. */
export function isIndirect(derivation: Derivation): boolean {
  return rankOf(derivation) < 0;
}

/** An indirect derivation stays indirect. If both are direct, the stronger one holds. */
function composed(outer: Derivation, inner: Derivation): Derivation {
  if (isIndirect(outer)) return outer;
  return isIndirect(inner) || rankOf(inner) > rankOf(outer) ? inner : outer;
}

/** The position among the direct ones, or -1. */
function rankOf(derivation: Derivation): number {
  return (DIRECT as readonly Derivation[]).indexOf(derivation);
}

function keyOf(relation: string, column: string): string {
  return JSON.stringify([relation, column]);
}
