import type { Bytes } from "./records.js";

const GZIP = [0x1f, 0x8b] as const;

/**
 * What a file has, decompressed where it is gzip.
 * @param onRead is told how many bytes of the file itself were read more.
 * @throws TypeError where a compressed file is broken.
 */
export async function* fileChunks(file: Blob, onRead: (bytes: number) => void): AsyncGenerator<Bytes> {
  const counting = new TransformStream<Bytes, Bytes>({
    transform: (chunk, controller) => {
      onRead(chunk.length);
      controller.enqueue(chunk);
    },
  });
  const read = file.stream().pipeThrough(counting);
  const reader = (
    (await isGzip(file)) ? read.pipeThrough(new DecompressionStream("gzip")) : read
  ).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    // Who stops reading needs no more of the file; one that is broken cannot be read on anyway.
    await reader.cancel().catch(() => undefined);
  }
}

async function isGzip(file: Blob): Promise<boolean> {
  const opening = new Uint8Array(await file.slice(0, GZIP.length).arrayBuffer());
  return GZIP.every((byte, place) => opening[place] === byte);
}
