import type { WrittenModel } from "../models/model.js";
import { sha256Of } from "../zones/hash.js";
import { manifestFile, manifestText, sha256OfText } from "../zones/manifest.js";
import { partitionFile, sizeOf, type Partition, type Zone, type ZoneFile } from "../zones/zone.js";

/** A partition that is written and audited, and not yet where readers look. */
export interface StagedPartition {
  readonly model: WrittenModel;
  readonly zone: Zone;
  readonly partition: Partition;
  /** Where it is when it is committed: its one file, or the manifest that names its files. */
  readonly uri: string;
  /** How many files it has. */
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
  /** Of its one file, or of the manifest. */
  readonly sha256: string;
}

/**
 * Describes what was staged for a partition.
 * @param file the one file, where it is one and not many.
 */
export async function describeStaged(
  runId: string,
  written: Pick<StagedPartition, "model" | "zone" | "partition" | "rows">,
  file: Pick<ZoneFile, "path" | "uri" | "bytes"> | undefined,
): Promise<StagedPartition> {
  const { zone, partition } = written;
  if (file !== undefined) {
    const uri = `${zone.root}/${partitionFile(partition)}`;
    return { ...written, uri, files: 1, bytes: file.bytes, sha256: await sha256Of(zone, file) };
  }
  const files = await zone.staged(runId, partition);
  return {
    ...written,
    uri: `${zone.root}/${manifestFile(partition)}`,
    ...sizeOf({ files }),
    sha256: sha256OfText(manifestText(runId, partition, files)),
  };
}
