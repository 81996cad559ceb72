import { describe, expect, it } from "@jest/globals";
import { parseSelects, type Syntax, type SyntaxTree } from "../../../src/engine/duckdb/syntax-trees.js";
import { assertKnownShape } from "../../../src/models/lineage/tree-shapes.js";
import { traceColumns, traceForDictionary } from "../../../src/run/column-lineage.js";
import { parseExecutionDate } from "../../../src/voucher/execution-date.js";
import { version } from "../../sql/session.js";

const { plan } = await traceColumns(version, parseExecutionDate("2020-05-29"), "0.5");
const { trees } = await parseSelects(plan.steps.map(({ rendered }) => rendered.sql));

type Node = Record<string, unknown>;

/** Every tree within a tree that lineage can come from. */
function nodesIn(part: unknown): Node[] {
  if (part === null || typeof part !== "object") return [];
  if (Array.isArray(part)) return part.flatMap(nodesIn);
  const node = part as Node;
  const inner = Object.entries(node).filter(
    ([name, value]) =>
      !/^(cast_type|expected_types|sample|at_clause)$/.test(name) &&
      !(name === "value" && node["class"] === "CONSTANT") &&
      typeof value === "object",
  );
  return [node, ...inner.flatMap(([, value]) => nodesIn(value))];
}

/** A copy of a tree in which the node of a number is changed. */
function mutated(tree: SyntaxTree, index: number, change: (node: Node) => void): SyntaxTree {
  const copy = structuredClone(tree);
  const node = nodesIn(copy)[index];
  if (node === undefined) throw new Error("no such node");
  change(node);
  return copy;
}

describe("the shape of a syntax tree", () => {
  it("is known of every model", () => {
    expect(trees).toHaveLength(version.models.length);
    for (const tree of trees)
      expect(() => {
        assertKnownShape(tree);
      }).not.toThrow();
  });

  const [tree = {}] = trees.filter((one) => JSON.stringify(one).includes('"WINDOW"'));

  it.each<[string, (node: Node, name: string) => void]>([
    [
      "is gone",
      (node, name) => {
        Reflect.deleteProperty(node, name);
      },
    ],
    [
      "has another name",
      (node, name) => {
        node[`${name}_2`] = node[name];
        Reflect.deleteProperty(node, name);
      },
    ],
    [
      "is of another kind",
      (node, name) => {
        node[name] = Array.isArray(node[name]) ? {} : [];
      },
    ],
  ])("is refused if any part %s", (_what, change) => {
    const unlooked =
      /^(cast_type|expected_types|sample|at_clause|named_param_map|qualified_exclude_list|rename_list|duplicate_eliminated_columns)$/;
    let tried = 0;
    for (const [index, node] of nodesIn(tree).entries())
      for (const name of Object.keys(node)) {
        if (unlooked.test(name) || (name === "value" && node["class"] === "CONSTANT")) continue;
        tried += 1;
        const wrong = mutated(tree, index, (copy) => {
          change(copy, name);
        });
        expect(() => {
          assertKnownShape(wrong);
        }).toThrow(expect.objectContaining({ code: "LINEAGE_UNKNOWN" }));
      }
    expect(tried).toBeGreaterThan(300);
  });

  it("is refused if any node has an additional part", () => {
    const count = nodesIn(tree).length;
    expect(count).toBeGreaterThan(50);
    for (let index = 0; index < count; index += 1) {
      const wrong = mutated(tree, index, (node) => {
        node["lateral"] = null;
      });
      expect(() => {
        assertKnownShape(wrong);
      }).toThrow(/has the part "lateral"/);
    }
  });

  it.each([
    ["type", "SELECT_NODE_2"],
    ["aggregate_handling", "SOME_AGGREGATES"],
  ])("is refused by name if its %s is %s", (name, word) => {
    const wrong = mutated(tree, 0, (node) => {
      node[name] = word;
    });
    expect(() => {
      assertKnownShape(wrong);
    }).toThrow(word);
  });
});

/** An engine that gives one more part in the tree of every SELECT from one table. */
async function otherEngine(selects: readonly string[]): Promise<Syntax> {
  const { aggregates, trees: given } = await parseSelects(selects);
  const isOther = (one: SyntaxTree | undefined) => JSON.stringify(one).includes('"voucher_amount_usage"');
  return { aggregates, trees: given.map((one) => (one && isOther(one) ? { ...one, lateral: null } : one)) };
}

describe("an engine of another version", () => {
  it("gives no lineage for the tables that it describes in another form, and full lineage for the others", async () => {
    const traced = await traceColumns(version, parseExecutionDate("2020-05-29"), "0.5", otherEngine);
    expect(traced.unknown?.code).toBe("LINEAGE_UNKNOWN");
    expect([...traced.untraceable.keys()]).toContain("provision.voucher_frequent_most_used");
    for (const message of traced.untraceable.values())
      expect(message).toContain('SELECT_NODE has the part "lateral"');
    expect(traced.models.has("provision.voucher_frequent_most_used")).toBe(false);
    expect(traced.models.has("curated.vouchers")).toBe(true);
  });

  it("makes the data dictionary fail", async () => {
    await expect(traceForDictionary(version, otherEngine)).rejects.toMatchObject({ code: "LINEAGE_UNKNOWN" });
  });
});
