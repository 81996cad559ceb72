import { addAbortSignal } from "node:stream";
import { isOnS3, type S3Access } from "../base/s3-access.js";
import type { Settings } from "../settings/settings.js";
import { assertApart, type LinkCheck } from "./apart.js";
import { openLocalDocuments, openS3Documents, type Documents } from "./documents.js";
import { openLocalZone } from "./folder-zone.js";
import type { S3Connection } from "./s3-client.js";
import { partitionFolder, type FoundPartition, type Zone } from "./zone.js";

/** The zones of a run. */
export interface Zones extends Readonly<Record<"raw" | "curated" | "provision", Zone>> {
  /** How the engine reaches the zones on S3; undefined if none is there. */
  readonly s3: S3Access | undefined;
  /**
   * Opens a place for documents, a folder or a URL on S3. It uses the S3 connection of the zones if they have one.
   * @param setting the name of the setting.
   */
  openDocuments(location: string, setting: string): Promise<Documents>;
  /** How many milliseconds the clock of S3 is ahead, by its answers so far; 0 if the difference is under four minutes. */
  clockOffset(): number;
  close(): void;
}

/**
 * Opens the zones. After the signal aborts, reads end, and no call waits for a silent service. Zones on S3 share one
 * connection. The connection and its client are loaded only if a zone is on S3.
 * @throws PipelineError INVALID_SETTINGS if a place of the settings lies in another one; nothing was read or written.
 */
export async function openZones(settings: Settings, signal?: AbortSignal): Promise<Zones> {
  const checkLink = await assertApart(settings);
  const locations = Object.values(settings.zones).filter(isOnS3);
  let s3 = locations.length === 0 ? undefined : await connect(settings, signal);
  const open = async (name: keyof Settings["zones"], check?: LinkCheck) =>
    endingReads(
      await openZone(settings.zones[name], `${name.toUpperCase()}_ZONE`, s3?.connection, check),
      signal,
    );
  const zones = {
    raw: await open("raw", checkLink),
    curated: await open("curated"),
    provision: await open("provision"),
  };
  return {
    ...zones,
    s3: s3?.access(locations),
    openDocuments: async (location, setting) => {
      if (!isOnS3(location)) return openLocalDocuments(location);
      s3 ??= await connect(settings, signal);
      return openS3Documents(s3.connection, location, `${location} (${setting})`);
    },
    clockOffset: () => s3?.connection.clockOffset() ?? 0,
    close: () => s3?.connection.client.destroy(),
  };
}

/** The same zone, but an abort ends its reads. */
function endingReads(zone: Zone, signal: AbortSignal | undefined): Zone {
  if (signal === undefined) return zone;
  return { ...zone, read: (file) => addAbortSignal(signal, zone.read(file)) };
}

async function connect({ s3, zones, runReports }: Settings, signal: AbortSignal | undefined) {
  const { assertBucketNames, connectS3 } = await import("./s3-client.js");
  const connection = await connectS3(s3, signal);
  assertBucketNames(connection, [...Object.values(zones), runReports].filter(isOnS3));
  const access = (scopes: readonly string[]): S3Access => ({
    scopes,
    endpoint: connection.endpoint,
    urlStyle: connection.urlStyle,
    region: connection.region,
    authorities: connection.authorities,
    credentials: () => connection.credentials(),
  });
  return { connection, access };
}

async function openZone(
  location: string,
  setting: string,
  s3: S3Connection | undefined,
  checkLink: LinkCheck | undefined,
): Promise<Zone> {
  if (s3 === undefined || !isOnS3(location)) return openLocalZone(location, checkLink);
  const { openS3Zone } = await import("./s3-zone.js");
  return openS3Zone(s3, location, `the zone ${location} (${setting})`);
}

/**
 * Zones that look up each partition only once. The caller must hold the lock of the execution date, so nobody else
 * replaces it.
 */
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
