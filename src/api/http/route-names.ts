import type { Express } from "express";

/** The parts of an Express router that matter here. */
interface Layer {
  readonly route?: { readonly path: unknown } | undefined;
  readonly handle?: { readonly stack?: readonly Layer[] };
}

/**
 * Finds the declared route of a path, without running it.
 * @param app with all its routes, at the first path.
 * @param folders whose files are served: `/assets` becomes `/assets/{file}`.
 */
export function routeFinder(app: Express, folders: readonly string[]): (path: string) => string | undefined {
  let known: ReturnType<typeof routesOf> | undefined;
  return (path) => {
    known ??= routesOf(app);
    // Express ignores case, and a slash at the end.
    const asked = path.toLowerCase().replace(/(?<=.)\/$/, "");
    const exact = known.exact.get(asked);
    if (exact !== undefined) return exact;
    const folder = folders.find((name) => asked === name || asked.startsWith(`${name}/`));
    return known.patterns.find(({ pattern }) => pattern.test(asked))?.name ?? (folder && `${folder}/{file}`);
  };
}

function routesOf(app: Express) {
  const paths = pathsOf((app.router as unknown as { readonly stack: readonly Layer[] }).stack);
  const isExact = (path: string) => !path.includes(":");
  return {
    exact: new Map(paths.filter(isExact).map((path) => [path.toLowerCase(), path])),
    patterns: paths
      .filter((path) => !isExact(path))
      .map((path) => ({
        name: path.replace(/:([a-z_]+)/g, "{$1}"),
        pattern: new RegExp(`^${path.replace(/:[a-z_]+/g, "[^/]+")}$`, "i"),
      })),
  };
}

function pathsOf(layers: readonly Layer[]): string[] {
  return layers.flatMap(({ route, handle }) => {
    const paths: readonly unknown[] = Array.isArray(route?.path) ? route.path : [route?.path];
    const plain = paths.filter((path) => typeof path === "string" && /^[a-z0-9/:._-]+$/i.test(path));
    return [...(plain as string[]), ...pathsOf(handle?.stack ?? [])];
  });
}
