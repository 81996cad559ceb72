import type { Request } from "express";

/** The route of a request that no route has taken. */
const UNKNOWN = "unknown";

const names = new Map<string, string>();

/**
 * The path of a request as it is declared, `/v1/tables/{table}`: never the address itself, of which there is no end.
 * @returns `unknown` where nothing is declared for the address.
 */
export function routeName({ route }: Request): string {
  const { path } = (route ?? {}) as { path?: unknown };
  return typeof path === "string" ? (names.get(path) ?? named(path)) : UNKNOWN;
}

/** There are as many as routes are declared. */
function named(path: string): string {
  const name = path.replace(/:([a-z_]+)/g, "{$1}");
  names.set(path, name);
  return name;
}
