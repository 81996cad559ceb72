import { describe, expect, it } from "@jest/globals";
import { parseSelects } from "../../../src/engine/duckdb/syntax-trees.js";
import { type Sources } from "../../../src/models/lineage/sources.js";
import { traceQuery, type Traced } from "../../../src/models/lineage/trace.js";

const MODELS: Record<string, string[]> = {
  "curated.orders": ["id", "customer", "amount", "placed_at"],
  "curated.customers": ["customer", "country"],
};

async function trace(select: string): Promise<Traced> {
  const { trees, aggregates } = await parseSelects([select]);
  const [tree] = trees;
  if (tree === undefined) throw new Error("DuckDB does not tell its parts");
  return traceQuery(tree, { columnsOf: (model) => MODELS[model], files: undefined, aggregates });
}

/** `orders.amount AGGREGATION, customers.country GROUP_BY` */
function inWords(sources: Sources): string {
  return sources
    .list()
    .map(
      ({ relation, column, derivations }) =>
        `${relation.split(".")[1] ?? ""}.${column} ${derivations.join("+")}`,
    )
    .join(", ");
}

/** What each column comes of, by its name. */
async function columnsOf(select: string): Promise<Record<string, string>> {
  const { columns } = await trace(select);
  return Object.fromEntries(columns.map(({ name, sources }) => [name, inWords(sources)]));
}

async function rowsOf(select: string): Promise<string> {
  return inWords((await trace(select)).rows);
}

describe("the columns of a query", () => {
  it.each<[string, string, Record<string, string>]>([
    ["a column as it is", "SELECT amount AS a FROM curated.orders", { a: "orders.amount IDENTITY" }],
    [
      "an expression",
      "SELECT amount * 2 + id AS a FROM curated.orders",
      { a: "orders.amount TRANSFORMATION, orders.id TRANSFORMATION" },
    ],
    ["a constant", "SELECT 'x' AS a, count(*) AS b FROM curated.orders", { a: "", b: "" }],
    ["an aggregate", "SELECT sum(amount) AS a FROM curated.orders", { a: "orders.amount AGGREGATION" }],
    [
      "an aggregate with a filter",
      "SELECT max(amount) FILTER (id > 1) AS a FROM curated.orders",
      { a: "orders.amount AGGREGATION, orders.id CONDITIONAL" },
    ],
    [
      "a window",
      "SELECT sum(amount) OVER (PARTITION BY customer ORDER BY id) AS a FROM curated.orders",
      { a: "orders.amount AGGREGATION, orders.customer WINDOW, orders.id WINDOW" },
    ],
    [
      "a condition",
      "SELECT CASE WHEN id > 1 THEN amount ELSE 0 END AS a FROM curated.orders",
      { a: "orders.amount TRANSFORMATION, orders.id CONDITIONAL" },
    ],
    [
      "a lambda, whose parameter is no column",
      "SELECT list_filter([amount], lambda id: id > 1) AS a FROM curated.orders",
      { a: "orders.amount TRANSFORMATION" },
    ],
    [
      "the field of a value",
      "SELECT parts.day AS a FROM (SELECT struct_pack(day := placed_at) AS parts FROM curated.orders)",
      { a: "orders.placed_at TRANSFORMATION" },
    ],
    [
      "another column of the same query, by its name",
      "SELECT amount + 1 AS more, more * 2 AS twice FROM curated.orders",
      { more: "orders.amount TRANSFORMATION", twice: "orders.amount TRANSFORMATION" },
    ],
    [
      "an aggregate of what was computed before it",
      "WITH doubled AS (SELECT customer, amount * 2 AS amount FROM curated.orders) SELECT sum(amount) AS a FROM doubled",
      { a: "orders.amount AGGREGATION" },
    ],
    [
      "two tables, by their aliases",
      "SELECT o.customer, c.country FROM curated.orders o JOIN curated.customers AS c ON o.customer = c.customer",
      { customer: "orders.customer IDENTITY", country: "customers.country IDENTITY" },
    ],
    [
      "two tables, by a column of both",
      "SELECT customer, orders.amount FROM curated.orders JOIN curated.customers USING (customer)",
      { customer: "customers.customer IDENTITY, orders.customer IDENTITY", amount: "orders.amount IDENTITY" },
    ],
    [
      "a star, but for some, and with another in the place of one",
      "SELECT * EXCLUDE (id, placed_at) REPLACE (amount / 2 AS amount) FROM curated.orders",
      { customer: "orders.customer IDENTITY", amount: "orders.amount TRANSFORMATION" },
    ],
    [
      "the star of one of two tables",
      "SELECT c.* FROM curated.orders, curated.customers c",
      { customer: "customers.customer IDENTITY", country: "customers.country IDENTITY" },
    ],
    [
      "a union, by place",
      "SELECT id AS a FROM curated.orders UNION ALL SELECT country FROM curated.customers",
      { a: "customers.country IDENTITY, orders.id IDENTITY" },
    ],
    [
      "a union, by name",
      "SELECT id, customer FROM curated.orders UNION ALL BY NAME SELECT country, customer FROM curated.customers",
      {
        id: "orders.id IDENTITY",
        customer: "customers.customer IDENTITY, orders.customer IDENTITY",
        country: "customers.country IDENTITY",
      },
    ],
    [
      "a query within, that knows the row around it",
      "SELECT (SELECT max(country) FROM curated.customers c WHERE c.customer = o.customer) AS a FROM curated.orders o",
      { a: "customers.country AGGREGATION, customers.customer FILTER, orders.customer FILTER" },
    ],
    [
      "what a list is taken apart to",
      "SELECT part FROM curated.orders, unnest([amount, id]) AS parts(part)",
      { part: "orders.amount TRANSFORMATION, orders.id TRANSFORMATION" },
    ],
    [
      "names in any case",
      'SELECT AMOUNT AS a FROM curated.orders AS O WHERE o."Id" = 1',
      { a: "orders.amount IDENTITY" },
    ],
    [
      "a list of values",
      "SELECT factor * amount AS a FROM curated.orders, (VALUES (1), (2)) AS factors(factor)",
      { a: "orders.amount TRANSFORMATION" },
    ],
  ])("derive from %s", async (_what, select, expected) => {
    expect(await columnsOf(select)).toEqual(expected);
  });
});

describe("the rows of a query", () => {
  it.each<[string, string, string]>([
    ["a filter", "SELECT id FROM curated.orders WHERE amount > 1", "orders.amount FILTER"],
    [
      "a group, also by the name of a column of its own",
      "SELECT date_trunc('month', placed_at) AS month FROM curated.orders GROUP BY month HAVING sum(amount) > 1",
      "orders.amount FILTER, orders.placed_at GROUP_BY",
    ],
    [
      "all that is not aggregated",
      "SELECT customer, sum(amount) AS a FROM curated.orders GROUP BY ALL",
      "orders.customer GROUP_BY",
    ],
    [
      "a join",
      "SELECT 1 AS a FROM curated.orders JOIN curated.customers USING (customer)",
      "customers.customer JOIN, orders.customer JOIN",
    ],
    [
      "an order",
      "SELECT id, amount + id AS a FROM curated.orders ORDER BY 2",
      "orders.amount SORT, orders.id SORT",
    ],
    ["an order of all", "SELECT id FROM curated.orders ORDER BY ALL", "orders.id SORT"],
    [
      "an order that chooses",
      "SELECT id FROM curated.orders ORDER BY amount LIMIT 3",
      "orders.amount FILTER",
    ],
    ["what is told apart", "SELECT DISTINCT customer FROM curated.orders", "orders.customer GROUP_BY"],
    [
      "a choice by rank",
      "SELECT id FROM curated.orders QUALIFY row_number() OVER (PARTITION BY customer ORDER BY amount) = 1",
      "orders.amount FILTER, orders.customer FILTER",
    ],
    [
      "what a query within was chosen by, and not how it was ordered",
      "SELECT id FROM (SELECT id FROM curated.orders WHERE amount > 1 ORDER BY placed_at)",
      "orders.amount FILTER",
    ],
  ])("are decided by %s", async (_what, select, expected) => {
    expect(await rowsOf(select)).toBe(expected);
  });
});

describe("untraceable SQL", () => {
  it.each([
    ["a column that nobody has", "SELECT nothing FROM curated.orders", "cannot trace the source of nothing"],
    ["a table that is not a model", "SELECT id FROM curated.others", "curated.others is not a model"],
    [
      "recursion",
      "WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r) SELECT a FROM r",
      "RECURSIVE",
    ],
    ["columns by a pattern", "SELECT COLUMNS('i.*') FROM curated.orders", "COLUMNS"],
    ["a natural join", "SELECT id FROM curated.orders NATURAL JOIN curated.customers", "NATURAL"],
    ["a function of tables", "SELECT a FROM made_up(1)", "made_up"],
    ["a file", "SELECT a FROM read_parquet('x')", "read_parquet"],
  ])("has the reason: %s", async (_what, select, reason) => {
    await expect(trace(select)).rejects.toMatchObject({
      name: "Untraceable",
      message: expect.stringContaining(reason),
    });
  });
});
