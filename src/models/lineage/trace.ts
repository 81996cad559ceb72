import { Sources, type Derivation } from "./sources.js";
import { assertKnownShape } from "./tree-shapes.js";

/** A part of a SELECT, from DuckDB's parser. */
type Tree = Readonly<Record<string, unknown>>;

/** The sources of the columns of a query, in their order, and of the choice of its rows. */
export interface Traced {
  readonly columns: readonly TracedColumn[];
  readonly rows: Sources;
}

export interface TracedColumn {
  readonly name: string;
  readonly sources: Sources;
}

/** The tables around a query. */
export interface Surroundings {
  /** The columns of a model by its name, for example `curated.vouchers`; undefined if there is no such model. */
  readonly columnsOf: (model: string) => readonly string[] | undefined;
  /** The columns of a function that reads files; undefined if the query must not read files. */
  readonly files: readonly TracedColumn[] | undefined;
  readonly aggregates: ReadonlySet<string>;
}

/** SQL whose columns are not traceable, although DuckDB runs it. */
export class Untraceable extends Error {
  override readonly name = "Untraceable";
}

/**
 * Traces the columns of a query to those of the models that it reads. A function call derives from all its arguments.
 * @throws Untraceable for unsupported SQL: recursion, PIVOT, COLUMNS(…), NATURAL joins, table macros.
 * @throws PipelineError LINEAGE_UNKNOWN for a tree of another version of DuckDB.
 */
export function traceQuery(query: Tree, surroundings: Surroundings): Traced {
  assertKnownShape(query);
  return new Scope(surroundings).query(query);
}

/** A relation that a query reads. */
interface Relation {
  /** The names before its columns: the alias, or the table with and without its schema. */
  readonly names: readonly string[];
  readonly columns: readonly TracedColumn[];
  /** The sources of every other column, if its columns are not all known. */
  readonly others?: Sources;
}

/** The names that are visible at one place of a query, including those of the outer queries. */
class Scope {
  readonly #surroundings: Surroundings;
  readonly #around: Scope | undefined;
  readonly #queries = new Map<string, Traced>();
  readonly #relations: Relation[] = [];
  /** Columns that two sides of a join share. */
  readonly #shared = new Set<string>();
  readonly #parameters = new Set<string>();
  #aliases: readonly TracedColumn[] = [];
  #rows: Sources[] = [];

  constructor(surroundings: Surroundings, around?: Scope) {
    this.#surroundings = surroundings;
    this.#around = around;
  }

  query(tree: Tree): Traced {
    for (const { key, value } of treesIn(treeIn(tree, "cte_map"), "map") as unknown as NamedTree[])
      this.#queries.set(
        folded(key),
        renamed(this.#within().query(treeIn(treeIn(value, "query"), "node")), textsIn(value, "aliases")),
      );
    switch (tree["type"]) {
      case "SELECT_NODE":
        return this.#select(tree);
      case "SET_OPERATION_NODE":
        return this.#union(tree);
      default:
        throw new Untraceable(`${String(tree["type"])} is not understood`);
    }
  }

  #select(tree: Tree): Traced {
    this.#from(treeIn(tree, "from_table"));
    const selected = treesIn(tree, "select_list");
    const columns: TracedColumn[] = [];
    for (const expression of selected) {
      columns.push(...this.#selected(expression));
      // Expressions further to the right can use its name.
      this.#aliases = columns;
    }
    this.#decides("FILTER", tree["where_clause"], tree["having"], tree["qualify"]);
    this.#decides("GROUP_BY", tree["group_expressions"]);
    if (tree["aggregate_handling"] === "FORCE_AGGREGATES")
      this.#decides(
        "GROUP_BY",
        selected.filter((expression) => !this.#aggregates(expression)),
      );
    return this.#modified(tree, columns);
  }

  #union(tree: Tree): Traced {
    const sides = [this.#within().query(treeIn(tree, "left")), this.#within().query(treeIn(tree, "right"))];
    const [left, right] = sides.map(({ columns }) => columns);
    const isByName = tree["setop_type"] === "UNION_BY_NAME";
    const counterpart = (column: TracedColumn, index: number) =>
      isByName ? right?.find(isNamed(column.name)) : right?.[index];
    const columns = (left ?? []).map((column, index) => ({
      name: column.name,
      sources: Sources.all([column.sources, counterpart(column, index)?.sources ?? Sources.NONE]),
    }));
    const rightOnly = isByName ? (right ?? []).filter(({ name }) => !columns.some(isNamed(name))) : [];
    this.#rows.push(...sides.map(({ rows }) => rows.withoutOrder()));
    this.#aliases = [...columns, ...rightOnly];
    return this.#modified(tree, this.#aliases);
  }

  /** ORDER BY, DISTINCT and LIMIT. */
  #modified(tree: Tree, columns: readonly TracedColumn[]): Traced {
    const modifiers = treesIn(tree, "modifiers");
    const isLimited = modifiers.some(({ type }) => String(type).startsWith("LIMIT"));
    for (const modifier of modifiers) {
      if (modifier["type"] === "DISTINCT_MODIFIER") {
        const targets = treesIn(modifier, "distinct_on_targets");
        this.#rows.push(
          ...(targets.length > 0 ? [this.#parts(targets)] : allOf(columns)).map((one) => one.by("GROUP_BY")),
        );
      }
      for (const { expression } of treesIn(modifier, "orders") as { expression?: Tree }[])
        if (expression !== undefined)
          this.#rows.push(this.#ordered(expression, columns).by(isLimited ? "FILTER" : "SORT"));
    }
    return { columns, rows: Sources.all(this.#rows) };
  }

  #ordered(expression: Tree, columns: readonly TracedColumn[]): Sources {
    // ORDER BY ALL, and ORDER BY 2.
    if (expression["class"] === "STAR") return Sources.all(allOf(columns));
    if (expression["class"] === "CONSTANT") {
      const { value } = treeIn(expression, "value");
      return columns[Number(value) - 1]?.sources ?? Sources.NONE;
    }
    const names = textsIn(expression, "column_names");
    const alias = names.length === 1 ? columns.find(isNamed(names[0] ?? "")) : undefined;
    return alias?.sources ?? this.#expression(expression);
  }

  #decides(derivation: Derivation, ...parts: readonly unknown[]): void {
    this.#rows.push(this.#parts(parts).by(derivation));
  }

  // FROM

  #from(tree: Tree): void {
    switch (tree["type"]) {
      case "EMPTY":
        return;
      case "JOIN":
        this.#join(tree);
        return;
      case "BASE_TABLE":
        this.#add(tree, this.#table(tree), tableNames(tree));
        return;
      case "SUBQUERY":
        this.#add(tree, this.#within().query(treeIn(treeIn(tree, "subquery"), "node")));
        return;
      case "EXPRESSION_LIST":
        this.#add(tree, this.#values(tree["values"] as Tree[][]));
        return;
      case "TABLE_FUNCTION":
        this.#tableFunction(tree);
        return;
      default:
        throw new Untraceable(`${String(tree["type"])} is not understood`);
    }
  }

  #add(tree: Tree, traced: Traced, names: readonly string[] = []): void {
    const { columns, rows } = renamed(traced, textsIn(tree, "column_name_alias"));
    const alias = String(tree["alias"]);
    this.#relations.push({ names: (alias === "" ? names : [alias]).map(folded), columns });
    this.#rows.push(rows.withoutOrder());
  }

  #table(tree: Tree): Traced {
    const name = String(tree["table_name"]);
    const schema = String(tree["schema_name"]);
    const query = schema === "" ? this.#queryNamed(name) : undefined;
    if (query !== undefined) return query;
    const model = `${schema}.${name}`;
    const columns = this.#surroundings.columnsOf(model);
    if (columns === undefined) throw new Untraceable(`${model} is not a model`);
    return {
      columns: columns.map((column) => ({ name: column, sources: Sources.of(model, column) })),
      rows: Sources.NONE,
    };
  }

  #queryNamed(name: string): Traced | undefined {
    const own = this.#queries.get(folded(name));
    return own === undefined && this.#around !== undefined ? this.#around.#queryNamed(name) : own;
  }

  #join(tree: Tree): void {
    if (tree["ref_type"] === "NATURAL") throw new Untraceable("NATURAL joins are not understood");
    this.#from(treeIn(tree, "left"));
    this.#from(treeIn(tree, "right"));
    this.#decides("JOIN", tree["condition"]);
    for (const column of textsIn(tree, "using_columns")) {
      this.#shared.add(folded(column));
      this.#rows.push(this.#column([column]).by("JOIN"));
    }
  }

  #values(rows: readonly (readonly Tree[])[]): Traced {
    const [first = []] = rows;
    const columns = first.map((_value, index) => ({
      name: `col${index.toString()}`,
      sources: this.#parts(rows.map((row) => row[index])),
    }));
    return { columns, rows: Sources.NONE };
  }

  #tableFunction(tree: Tree): void {
    const call = treeIn(tree, "function");
    const { files } = this.#surroundings;
    if (/^(read_)?(parquet|csv)(_rows)?$/.test(String(call["function_name"])) && files !== undefined) {
      // Other columns, such as the file name, have no sources.
      this.#relations.push({ names: [folded(String(tree["alias"]))], columns: files, others: Sources.NONE });
      return;
    }
    const values = treesIn(call, "children").map((child) =>
      // A named argument: only its value can be a column.
      child["type"] === "COMPARE_EQUAL" ? treeIn(child, "right") : child,
    );
    if (this.#isUnknown(call))
      throw new Untraceable(`the table function ${String(call["function_name"])} is not understood`);
    const sources = this.#parts(values).by("TRANSFORMATION");
    const columns = textsIn(tree, "column_name_alias").map((name) => ({ name, sources }));
    this.#relations.push({ names: [folded(String(tree["alias"]))], columns, others: sources });
  }

  /** Any other table function may read tables that its arguments do not name. */
  #isUnknown(call: Tree): boolean {
    return !/^(unnest|range|generate_series|repeat|repeat_row)$/.test(String(call["function_name"]));
  }

  // SELECT

  #selected(expression: Tree): TracedColumn[] {
    if (expression["class"] === "STAR") return this.#star(expression);
    const names = textsIn(expression, "column_names");
    const alias = String(expression["alias"]);
    return [{ name: alias === "" ? (names.at(-1) ?? "") : alias, sources: this.#expression(expression) }];
  }

  #star(tree: Tree): TracedColumn[] {
    if (tree["columns"] === true) throw new Untraceable("COLUMNS(…) is not understood");
    if (treesIn(tree, "rename_list").length > 0 || treesIn(tree, "qualified_exclude_list").length > 0)
      throw new Untraceable("* RENAME, and EXCLUDE of a table's column, are not understood");
    const relation = folded(String(tree["relation_name"]));
    const excluded = new Set(textsIn(tree, "exclude_list").map(folded));
    const replaced = new Map(
      (treesIn(tree, "replace_list") as unknown as NamedTree[]).map(({ key, value }) => [folded(key), value]),
    );
    const columns = new Map<string, TracedColumn>();
    for (const { names, columns: own, others } of this.#relations) {
      if (relation !== "" && !names.includes(relation)) continue;
      if (others !== undefined) throw new Untraceable("* of a function is not understood");
      for (const column of own) {
        const name = folded(column.name);
        if (excluded.has(name) || (columns.has(name) && this.#shared.has(name))) continue;
        const replacement = replaced.get(name);
        const sources = replacement === undefined ? this.#shareOf(column) : this.#expression(replacement);
        // Two columns with the same name are two columns.
        columns.set(columns.has(name) ? `${name}:${columns.size.toString()}` : name, {
          name: column.name,
          sources,
        });
      }
    }
    return [...columns.values()];
  }

  /** A column that two sides of a join share derives from both. */
  #shareOf({ name, sources }: TracedColumn): Sources {
    return this.#shared.has(folded(name)) ? this.#column([name]) : sources;
  }

  // Expressions

  #expression(tree: Tree): Sources {
    switch (tree["class"]) {
      case "COLUMN_REF":
        return this.#column(textsIn(tree, "column_names"));
      case "CASE":
        return this.#case(tree);
      case "FUNCTION":
        return Sources.all([
          this.#parts(tree["children"]).by(this.#isAggregate(tree) ? "AGGREGATION" : "TRANSFORMATION"),
          this.#parts(tree["filter"]).by("CONDITIONAL"),
          this.#parts(tree["order_bys"]).by("SORT"),
        ]);
      case "WINDOW": {
        const { children, ...around } = tree;
        return Sources.all([
          this.#parts(children).by(this.#isAggregate(tree) ? "AGGREGATION" : "TRANSFORMATION"),
          this.#parts(Object.values(around)).by("WINDOW"),
        ]);
      }
      case "LAMBDA":
        return this.#lambda(tree);
      case "SUBQUERY":
        return this.#subquery(tree);
      case "STAR":
        throw new Untraceable("* within an expression is not understood");
      default:
        return this.#parts(Object.values(tree)).by("TRANSFORMATION");
    }
  }

  /** The sources of every expression in a part of a tree. */
  #parts(part: unknown): Sources {
    if (part === null || typeof part !== "object") return Sources.NONE;
    if (!Array.isArray(part) && typeof (part as Tree)["class"] === "string")
      return this.#expression(part as Tree);
    return Sources.all(Object.values(part).map((each: unknown) => this.#parts(each)));
  }

  #case(tree: Tree): Sources {
    const checks = treesIn(tree, "case_checks");
    return Sources.all([
      this.#parts(checks.map(({ when_expr }) => when_expr)).by("CONDITIONAL"),
      this.#parts([tree["else_expr"], ...checks.map(({ then_expr }) => then_expr)]).by("TRANSFORMATION"),
    ]);
  }

  #lambda(tree: Tree): Sources {
    const inner = this.#within();
    for (const name of namesIn(tree["lhs"])) inner.#parameters.add(folded(name));
    return inner.#parts(tree["expr"]);
  }

  #subquery(tree: Tree): Sources {
    const { columns, rows } = this.#within().query(treeIn(treeIn(tree, "subquery"), "node"));
    return Sources.all([
      this.#parts(tree["child"]).by("TRANSFORMATION"),
      ...allOf(columns).map((sources) => sources.by("TRANSFORMATION")),
      rows.withoutOrder(),
    ]);
  }

  /** The sources of a column by its name, with or without the name of its relation; further names are fields inside it. */
  #column(names: readonly string[]): Sources {
    const [first = "", second = "", third = ""] = names.map(folded);
    const found =
      this.#columnOf(first, names.length) ??
      this.#inRelation(first, second) ??
      this.#inRelation(`${first}.${second}`, third) ??
      this.#aliases.find(isNamed(first))?.sources ??
      this.#relations.find(({ others }) => others !== undefined)?.others;
    if (found !== undefined) return found;
    if (this.#around === undefined) throw new Untraceable(`cannot trace the source of ${names.join(".")}`);
    return this.#around.#column(names);
  }

  #columnOf(name: string, depth: number): Sources | undefined {
    if (this.#parameters.has(name)) return Sources.NONE;
    const found = this.#relations.flatMap(({ columns }) => columns.filter(isNamed(name)));
    if (found.length === 0) return undefined;
    const sources = Sources.all(allOf(found));
    return depth > 1 ? sources.by("TRANSFORMATION") : sources;
  }

  #inRelation(relation: string, column: string): Sources | undefined {
    return this.#relations.find(({ names }) => names.includes(relation))?.columns.find(isNamed(column))
      ?.sources;
  }

  #isAggregate(tree: Tree): boolean {
    return this.#surroundings.aggregates.has(String(tree["function_name"]));
  }

  /** Whether a part of a tree aggregates many rows. */
  #aggregates(part: unknown): boolean {
    if (part === null || typeof part !== "object") return false;
    const tree = part as Tree;
    if (tree["class"] === "SUBQUERY" || tree["class"] === "WINDOW") return false;
    return (
      (tree["class"] === "FUNCTION" && this.#isAggregate(tree)) ||
      Object.values(tree).some((each) => this.#aggregates(each))
    );
  }

  #within(): Scope {
    return new Scope(this.#surroundings, this);
  }
}

interface NamedTree {
  readonly key: string;
  readonly value: Tree;
}

/** The same columns with other names, for as many as there are names. */
function renamed({ columns, rows }: Traced, names: readonly string[]): Traced {
  return {
    columns: columns.map(({ name, sources }, index) => ({ name: names[index] ?? name, sources })),
    rows,
  };
}

function tableNames(tree: Tree): string[] {
  const table = String(tree["table_name"]);
  return [table, `${String(tree["schema_name"])}.${table}`];
}

function allOf(columns: readonly TracedColumn[]): Sources[] {
  return columns.map(({ sources }) => sources);
}

/** DuckDB's names ignore case. */
function folded(name: string): string {
  return name.toLowerCase();
}

function isNamed(name: string): (column: TracedColumn) => boolean {
  return (column) => folded(column.name) === folded(name);
}

/** The names of a lambda's parameters: one, or several in a row. */
function namesIn(part: unknown): string[] {
  if (part === null || typeof part !== "object") return [];
  const names = textsIn(part as Tree, "column_names");
  return names.length > 0 ? names : Object.values(part).flatMap((each: unknown) => namesIn(each));
}

function treeIn(tree: Tree, name: string): Tree {
  return tree[name] as Tree;
}

function treesIn(tree: Tree, name: string): Tree[] {
  return (tree[name] ?? []) as Tree[];
}

function textsIn(tree: Tree, name: string): string[] {
  return (tree[name] ?? []) as string[];
}
