import { counted, counting, printable } from "../base/words.js";
import type { RawPart } from "../models/dialect.js";
import type { ZoneFile } from "../zones/zone.js";

/** The maximum number of named files; the others are counted. */
const NAMED = 5;

/** The names that a run reads, for messages. */
export const READABLE_NAMES = "*.parquet, *.parquet.gzip, *.csv or *.csv.gz";

/** Files in the folders of raw models that no run reads because of their names. */
export interface IgnoredFiles {
  readonly count: number;
  /** The first five by path. */
  readonly first: readonly IgnoredFile[];
}

export interface IgnoredFile {
  /** Below the raw zone; that of a folder ends in `/`. */
  readonly path: string;
  readonly remedy: string;
}

/** Raw files that hold the same bytes, by path. The rows of all of them count. */
export interface SameBytes {
  readonly paths: readonly string[];
}

/** Raw files that DuckDB reads although there is a cluster, for one reason. */
export interface OffCluster {
  readonly reason: string;
  readonly files: number;
  readonly bytes: number;
  /** The path of the first of them, below the raw zone. */
  readonly first: string;
}

/**
 * The raw files that a cluster does not read, by reason, the most bytes first.
 * @param reasonOf the reason for a part; undefined if the cluster reads it.
 */
export function offClusterOf(
  parts: readonly RawPart[],
  reasonOf: (part: RawPart) => string | undefined,
): OffCluster[] {
  const byReason = new Map<string, OffCluster>();
  for (const part of parts) {
    const reason = reasonOf(part);
    if (reason === undefined) continue;
    const before = byReason.get(reason);
    const paths = part.files.map((uri) => uri.slice(part.root.length + 1));
    const [first = ""] = [...paths, ...(before === undefined ? [] : [before.first])].sort();
    byReason.set(reason, {
      reason,
      files: (before?.files ?? 0) + part.files.length,
      bytes: (before?.bytes ?? 0) + part.bytes,
      first,
    });
  }
  return [...byReason.values()].sort((a, b) => b.bytes - a.bytes || (a.reason < b.reason ? -1 : 1));
}

/** Raw files that a cluster does not read as lines, one for each reason. */
export function offClusterLines(groups: readonly OffCluster[]): string[] {
  return groups.map(
    ({ reason, files, bytes, first }) =>
      `${printable(reason)}: ${counting(files, "file")}, ${counted(bytes)} bytes, ` +
      `${files === 1 ? "" : "first "}${printable(first)}`,
  );
}

/** @param files the files with names that no run reads, sorted by path. */
export function ignoredFilesOf(files: readonly ZoneFile[]): IgnoredFiles {
  const first = files
    .slice(0, NAMED)
    .map(({ path, problem }) => ({ path, remedy: problem ?? remedyFor(path) }));
  return { count: files.length, first };
}

/** One sentence about ignored files; undefined if there are none. */
export function ignoredInWords({ count, first }: IgnoredFiles): string | undefined {
  if (count === 0) return undefined;
  const are = count === 1 ? "is ignored because of its name" : "are ignored because of their names";
  const names = listed(
    first.map(({ path }) => printable(path)),
    count,
  );
  return `${counting(count, "raw file")} ${are}: ${names}; a run reads ${READABLE_NAMES}`;
}

/** Ignored files as lines, each with its remedy. */
export function ignoredLines({ count, first }: IgnoredFiles): string[] {
  const more = count - first.length;
  return [
    ...first.map(({ path, remedy }) => `${printable(path)}: ${printable(remedy)}`),
    ...(more > 0 ? [`and ${more.toString()} more`] : []),
  ];
}

/** One sentence about files with the same bytes; undefined if there are none. */
export function sameBytesInWords(groups: readonly SameBytes[]): string | undefined {
  const lines = sameBytesLines(groups);
  if (lines.length === 0) return undefined;
  return `raw files are identical copies, and the rows of each copy count: ${lines.join("; ")}; remove the copies`;
}

/** Files with the same bytes as lines, one for each set of them. */
export function sameBytesLines(groups: readonly SameBytes[]): string[] {
  const more = groups.length - NAMED;
  return [
    ...groups.slice(0, NAMED).map(({ paths }) => {
      const names = paths.slice(0, NAMED).map(printable);
      return paths.length === 2 ? names.join(" and ") : listed(names, paths.length);
    }),
    ...(more > 0 ? [`and ${counting(more, "more set")} of copies`] : []),
  ];
}

function listed(names: readonly string[], count: number): string {
  const more = count - names.length;
  return `${names.join(", ")}${more > 0 ? ` and ${more.toString()} more` : ""}`;
}

/** The remedy for a file name that no run reads. */
function remedyFor(file: string): string {
  const name = file.slice(file.lastIndexOf("/") + 1);
  const renamed = RENAMED.map(([pattern, to]) => name.replace(pattern, to)).find((other) => other !== name);
  if (renamed !== undefined) return `rename it to ${renamed}`;
  return (
    REMEDIES.find(([pattern]) => pattern.test(name))?.[1] ??
    "if it is CSV or Parquet, rename it to end in .csv or .parquet; otherwise move it away"
  );
}

/** Names that show the format of the file, in other spellings. */
const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/[.]csv[.](gz|gzip)\s*$/i, ".csv.gz"],
  [/[.]parquet[.](gz|gzip)\s*$/i, ".parquet.gzip"],
  [/[.](parquet|parq|pq|pqt)([.](snappy|zstd?|br|brotli|lz4|uncompressed))?\s*$/i, ".parquet"],
  [/[.]csv\s*$/i, ".csv"],
  [/[.]csv[.]?([0-9]+)$/i, "-$1.csv"],
  [/[.]parquet[.]?([0-9]+)$/i, "-$1.parquet"],
];

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/[.](tsv|tab|psv|txt)([.]gz)?$/i, "write it as CSV with commas, in a file *.csv"],
  [/[.](zip|zst|zstd|bz2|xz|7z|lz4|br|tar|tgz|z)$/i, "unpack it, or pack it with gzip as *.csv.gz"],
  [/[.](json|jsonl|ndjson|orc|avro|xlsx?|xml|feather|arrow)([.]gz)?$/i, "write it as CSV or Parquet"],
  [
    /[.](tmp|part|partial|filepart|crdownload|bak|old|swp|orig)$|~$/i,
    "it looks like an unfinished file or a backup; finish it or move it away",
  ],
];
