import { PipelineError } from "../../base/errors.js";
import { isObject } from "../../base/json.js";

/**
 * The parts of each kind of tree that DuckDB 1.5's parser makes of a SELECT. Lineage depends on them, but DuckDB does
 * not guarantee them. `?` is a tree or null, `[]` a list, `{}` a tree, `*` a part without lineage, and a part without
 * a mark is a plain value.
 */
const SHAPES: Readonly<Record<string, string>> = {
  // Queries
  SELECT_NODE:
    "type select_list[] from_table{} where_clause? group_expressions[] group_sets[] aggregate_handling having? sample* qualify? modifiers[] cte_map{}",
  SET_OPERATION_NODE: "type setop_type setop_all left{} right{} modifiers[] cte_map{}",
  ORDER_MODIFIER: "type orders[]",
  LIMIT_MODIFIER: "type limit? offset?",
  LIMIT_PERCENT_MODIFIER: "type limit? offset?",
  DISTINCT_MODIFIER: "type distinct_on_targets[]",
  ORDER_DEFAULT: "type null_order expression{}",
  ASCENDING: "type null_order expression{}",
  DESCENDING: "type null_order expression{}",
  // FROM
  EMPTY: "type alias sample* query_location",
  BASE_TABLE:
    "type alias sample* query_location catalog_name schema_name table_name column_name_alias[] at_clause*",
  SUBQUERY: "type alias sample* query_location subquery{} column_name_alias[]",
  EXPRESSION_LIST: "type alias sample* query_location values[] expected_names[] expected_types*",
  TABLE_FUNCTION: "type alias sample* query_location function{} column_name_alias[] with_ordinality",
  JOIN: "type alias sample* query_location left{} right{} condition? join_type ref_type using_columns[] delim_flipped duplicate_eliminated_columns*",
  // Expressions, by their class
  "class BETWEEN": "class type alias query_location input{} lower{} upper{}",
  "class CASE": "class type alias query_location case_checks[] else_expr{}",
  "class CAST": "class type alias query_location child{} cast_type* try_cast",
  "class COLLATE": "class type alias query_location child{} collation",
  "class COLUMN_REF": "class type alias query_location column_names[]",
  "class COMPARISON": "class type alias query_location left{} right{}",
  "class CONJUNCTION": "class type alias query_location children[]",
  "class CONSTANT": "class type alias query_location value*",
  "class FUNCTION":
    "class type alias query_location catalog schema function_name children[] filter? order_bys? distinct is_operator export_state",
  "class LAMBDA": "class type alias query_location lhs{} expr{}",
  "class OPERATOR": "class type alias query_location children[]",
  "class POSITIONAL_REFERENCE": "class type alias query_location index",
  "class STAR":
    "class type alias query_location relation_name exclude_list[] replace_list[] columns expr? qualified_exclude_list* rename_list*",
  "class SUBQUERY": "class type alias query_location subquery_type subquery{} child? comparison_type",
  "class WINDOW":
    "class type alias query_location catalog schema function_name children[] partitions[] orders[] start end start_expr? end_expr? offset_expr? default_expr? ignore_nulls filter_expr? exclude_clause distinct arg_orders[]",
  // Inner parts without a type
  "in case_checks": "when_expr{} then_expr{}",
  "in cte_map": "map[]",
  "in map": "key value{}",
  "in query": "node{} named_param_map*",
  "in replace_list": "key value{}",
  "in subquery": "node{} named_param_map*",
  "in value": "aliases[] query{} materialized key_targets[]",
};

/** All words of the parts that decide the tracing. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  aggregate_handling: ["STANDARD_HANDLING", "NO_AGGREGATES_ALLOWED", "FORCE_AGGREGATES"],
  setop_type: ["UNION", "UNION_BY_NAME", "EXCEPT", "INTERSECT"],
  ref_type: ["REGULAR", "NATURAL", "CROSS", "POSITIONAL", "ASOF", "DEPENDENT"],
};

/** The names of parts that tracing refuses, whatever is in them. */
const REFUSED = new Set(["RECURSIVE_CTE_NODE", "CTE_NODE", "PIVOT", "SHOW_REF"]);

type Mark = "" | "?" | "[]" | "{}" | "*";
type Shape = ReadonlyMap<string, Mark>;

const shapes = new Map(Object.entries(SHAPES).map(([kind, parts]) => [kind, shapeOf(parts)]));

function shapeOf(parts: string): Shape {
  return new Map(
    parts.split(" ").map((part) => {
      const [, name = "", mark = ""] = /^(\w+)(\W*)$/.exec(part) ?? [];
      return [name, mark as Mark];
    }),
  );
}

/**
 * Refuses a tree with other parts than those of the known parser version: its lineage would be a guess.
 * @throws PipelineError LINEAGE_UNKNOWN that names the part.
 */
export function assertKnownShape(tree: unknown): void {
  check(tree, "query");
}

/** @param place the name of the outer part. */
function check(part: unknown, place: string): void {
  if (Array.isArray(part)) {
    for (const each of part) check(each, place);
    return;
  }
  if (part === null || typeof part !== "object") return;
  const tree = part as Readonly<Record<string, unknown>>;
  const kind = kindOf(tree, place);
  if (REFUSED.has(kind)) return;
  const shape = shapes.get(kind);
  if (shape === undefined) throw unknown(`"${kind}" is unknown`);
  for (const name of Object.keys(tree)) if (!shape.has(name)) throw unknown(`${kind} has the part "${name}"`);
  for (const [name, mark] of shape) {
    const value = tree[name];
    if (!fits(value, mark)) throw unknown(`${kind} has another part "${name}"`);
    if (WORDS[name]?.includes(String(value)) === false) throw unknown(`${name} is "${String(value)}"`);
    if (mark !== "*") check(value, name);
  }
}

function kindOf(tree: Readonly<Record<string, unknown>>, place: string): string {
  if (typeof tree["class"] === "string") return `class ${tree["class"]}`;
  if (typeof tree["type"] === "string") return tree["type"];
  return `in ${place}`;
}

function fits(value: unknown, mark: Mark): boolean {
  switch (mark) {
    case "":
      return ["string", "number", "boolean"].includes(typeof value);
    case "[]":
      return Array.isArray(value);
    case "{}":
      return isObject(value);
    case "?":
      return value === null || isObject(value);
    case "*":
      return value !== undefined;
  }
}

function unknown(what: string): PipelineError {
  return new PipelineError(
    "LINEAGE_UNKNOWN",
    `cannot trace the lineage of columns with this version of DuckDB: in its syntax trees, ${what}. Use the version of package-lock.json`,
  );
}
