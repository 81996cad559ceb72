import type { Zones } from "./open.js";
import { partitionFolder, type FoundPartition, type Zone } from "./zone.js";

/** Zones that look for each partition once: for who holds the lock of an execution date, so that nobody else replaces it. */
export function lookingOnce<Given extends Pick<Zones, "curated" | "provision">>(zones: Given): Given {
  return { ...zones, curated: remembering(zones.curated), provision: remembering(zones.provision) };
}

function remembering(zone: Zone): Zone {
  const finds = new Map<string, Promise<FoundPartition | undefined>>();
  return {
    ...zone,
    find: (partition) => {
      const folder = partitionFolder(partition);
      const known = finds.get(folder) ?? zone.find(partition);
      finds.set(folder, known);
      return known;
    },
  };
}
