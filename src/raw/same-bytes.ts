import { createHash } from "node:crypto";
import { sideBySide } from "../base/concurrency.js";
import { sha256Of, type Zone, type ZoneFile } from "../zones/zone.js";
import type { SameBytes } from "./file-notices.js";

/** The files with equal contents, by a hash or by a version that comes from the content. */
export function sameBytesAmong(
  files: readonly (Pick<ZoneFile, "path" | "bytes" | "version"> & { readonly sha256?: string })[],
): SameBytes[] {
  return groupsBy(
    files.filter(({ bytes }) => bytes > 0),
    ({ bytes, version, sha256 }) => `${bytes.toString()} ${sha256 ?? version}`,
  ).map((group) => ({ paths: group.map(({ path }) => path).sort() }));
}

/**
 * Finds files with the same bytes. It reads only files of the same size as another one. If two files differ at their
 * beginning, it reads only that. It leaves out unreadable files.
 */
export async function findSameBytes(zone: Zone, files: readonly ZoneFile[]): Promise<SameBytes[]> {
  const readable = files.filter(({ problem }) => problem === undefined);
  if (zone.versionsTellContent) return sameBytesAmong(readable);
  const ofOneSize = groupsBy(
    readable.filter(({ bytes }) => bytes > 0),
    ({ bytes }) => bytes.toString(),
  ).flat();
  const begun = await hashed(ofOneSize, (file) => sha256OfBeginning(zone, file));
  const alike = groupsBy(begun, ({ bytes, sha256 }) => `${bytes.toString()} ${sha256}`).flat();
  return sameBytesAmong(await hashed(alike, (file) => sha256Of(zone, file)));
}

type HashedFile = ZoneFile & { readonly sha256: string };

async function hashed(
  files: readonly ZoneFile[],
  hash: (file: ZoneFile) => Promise<string>,
): Promise<HashedFile[]> {
  // Another step reports an unreadable file.
  const found = await sideBySide(files, (file) =>
    hash(file)
      .then((sha256) => [{ ...file, sha256 }])
      .catch(() => []),
  );
  return found.flat();
}

async function sha256OfBeginning(zone: Zone, file: ZoneFile): Promise<string> {
  const bytes = zone.read(file);
  try {
    const hash = createHash("sha256");
    for await (const chunk of bytes) {
      hash.update(chunk as Buffer);
      break;
    }
    return hash.digest("hex");
  } finally {
    bytes.destroy();
  }
}

/** Groups of two or more with the same key. */
function groupsBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
}
