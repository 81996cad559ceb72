import { Liquid, LiquidError, type Template } from "liquidjs";
import { messageOf, PipelineError } from "../base/errors.js";
import { listOf } from "../sql-text/literal.js";
import { DUCKDB, type Dialect, type DialectName, type RawColumn, type RawPart } from "./dialect.js";
import { HEADER } from "./header.js";

/** A SQL text with its values filled in, and the models it reads. */
export interface Rendered {
  readonly sql: string;
  readonly references: readonly string[];
  /** The engine that it is for. */
  readonly dialect: DialectName;
}

/** Renders the templates of one SQL version. */
export interface Renderer {
  /**
   * @param file the name of the template's file, for messages.
   * @throws PipelineError INVALID_MODEL for an unknown variable, filter or model, naming file, line and word.
   */
  render(file: string, template: string, variables: object): Rendered;
}

/** A placeholder for the header during rendering: a tag that trims the blanks before it stops here. */
const HEADER_END = "*/";

/**
 * @param knownModels the names that a template can refer to, for example `curated.vouchers`.
 * @param dialect the forms of the engine for inserted values.
 */
export function createRenderer(knownModels: ReadonlySet<string>, dialect: Dialect = DUCKDB): Renderer {
  const references = new Set<string>();
  const parsed = new Map<string, Template[]>();
  const liquid = new Liquid({
    outputEscape: (value: unknown) => dialect.literal(value),
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
  });
  const sqlFilter = (name: string, handler: (value: unknown) => string) => {
    liquid.registerFilter(name, { raw: true, handler });
  };
  sqlFilter("identifier", (name) => dialect.identifier(name));
  sqlFilter("identifiers", (names) =>
    listOf(names)
      .map((name) => dialect.identifier(name))
      .join(", "),
  );
  sqlFilter("list", (values) => dialect.list(values));
  sqlFilter("column", (column) => dialect.column(column as RawColumn));
  sqlFilter("rows", (part) => dialect.rows(part as RawPart));
  sqlFilter("ref", (model) => {
    if (typeof model !== "string" || !knownModels.has(model)) {
      throw new TypeError(`unknown model '${String(model)}'; known models: ${[...knownModels].join(", ")}`);
    }
    references.add(model);
    return dialect.relation(model);
  });
  // Liquid's own way around the escaping. A value that is not a literal needs a filter that names its kind.
  sqlFilter("raw", () => {
    throw new TypeError(
      "the filter 'raw' is not allowed; use identifier, identifiers, list, column, rows or ref",
    );
  });

  return {
    render(file, template, variables) {
      references.clear();
      try {
        // A header can contain templates of audits, which are rendered separately. The line numbers stay the same.
        const [header = ""] = HEADER.exec(template) ?? [];
        const lines = header.replace(/[^\n]+/g, "") + HEADER_END;
        const templates = parsed.get(template) ?? liquid.parse(lines + template.slice(header.length), file);
        parsed.set(template, templates);
        const sql = header + String(liquid.renderSync(templates, variables)).slice(lines.length);
        return { sql: sql.trimEnd(), references: [...references], dialect: dialect.name };
      } catch (error) {
        throw new PipelineError("INVALID_MODEL", `${file}${placeOf(error)}`, { cause: error });
      }
    },
  };
}

/** `:12: what is wrong`, from an error of Liquid, which has its own form of file and line. */
function placeOf(error: unknown): string {
  if (!LiquidError.is(error)) return `: ${messageOf(error)}`;
  const reason = messageOf(error.originalError ?? error).replace(/, file:.*$/s, "");
  const [line = 1] = error.token.getPosition();
  return `:${line.toString()}: ${reason}`;
}
