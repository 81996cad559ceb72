import { literal } from "./sql-literal.js";

/** A value as Spark writes it as a literal: in a text, a backslash changes what follows. */
export function sparkLiteral(value: unknown): string {
  return literal(typeof value === "string" ? value.replaceAll("\\", "\\\\") : value);
}

/** A name as Spark quotes it. */
export function sparkName(value: unknown): string {
  if (typeof value !== "string" || value === "") throw new TypeError("a name is a text");
  return `\`${value.replaceAll("`", "``")}\``;
}

/** An address on S3, as Hadoop's client knows it. */
export function sparkPath(uri: string): string {
  return uri.replace(/^s3:/, "s3a:");
}

/** Parquet files or folders of them on S3, as Spark reads them in the place of a table. */
export function sparkFiles(uris: readonly string[]): string {
  const paths = uris.map(sparkPath);
  return `parquet.${sparkName(paths.length === 1 ? paths.join() : `{${paths.join(",")}}`)}`;
}

/** Whether an address on S3 means itself to Hadoop's client, to which it is a pattern. */
export function isPlainToSpark(uri: string): boolean {
  return /^s3:\/\/[\p{L}\p{N} _.=+@()~$'!&%/-]+$/u.test(uri);
}
