import { literal } from "./literal.js";

/** A value as a Spark literal: in a text, a backslash changes the next character. */
export function sparkLiteral(value: unknown): string {
  return literal(typeof value === "string" ? value.replaceAll("\\", "\\\\") : value);
}

/** A name as a Spark identifier. */
export function sparkName(value: unknown): string {
  if (typeof value !== "string" || value === "") throw new TypeError("a name must be a text");
  return `\`${value.replaceAll("`", "``")}\``;
}

/** An address on S3, in the form of Hadoop's client. */
export function sparkPath(uri: string): string {
  return uri.replace(/^s3:/, "s3a:");
}

/** Parquet files or folders of them in one bucket on S3, in the form that Spark reads instead of a table. */
export function sparkFiles(uris: readonly string[]): string {
  return `parquet.${sparkName(sparkPattern(uris))}`;
}

/** The address of files or folders in one bucket on S3, in the form of Hadoop's client: several as a pattern. */
export function sparkPattern(uris: readonly string[]): string {
  const paths = uris.map(sparkPath);
  if (paths.length === 1) return paths.join();
  const shared = sharedFolder(paths);
  const names = paths.map((path) => path.slice(shared.length));
  return `${shared}{${names.join(",")}}`;
}

/** The common start of all paths, up to a `/`. */
function sharedFolder(paths: readonly string[]): string {
  const [first = ""] = paths;
  let length = first.lastIndexOf("/") + 1;
  while (!paths.every((path) => path.startsWith(first.slice(0, length))))
    length = first.lastIndexOf("/", length - 2) + 1;
  return first.slice(0, length);
}
