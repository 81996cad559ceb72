import fc from "fast-check";

/** Something that happens to the bytes of a file on its way. */
export interface Damage {
  readonly kind:
    "bit flipped" | "cut" | "bytes lost" | "bytes repeated" | "bytes zeroed" | "bytes overwritten";
  /** Where it begins, counted from one end of the file: the beginning and the footer matter more than the rest. */
  readonly from: "beginning" | "end";
  readonly distance: number;
  readonly length: number;
  readonly byte: number;
}

export const damages: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom(
    ...(["bit flipped", "bit flipped", "bit flipped", "cut"] as const),
    ...(["bytes lost", "bytes repeated", "bytes zeroed", "bytes overwritten"] as const),
  ),
  from: fc.constantFrom("beginning", "end"),
  distance: fc.oneof(fc.nat(16), fc.nat(400), fc.nat(4000)),
  length: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 300 })),
  byte: fc.nat(255),
});

/** The bytes as they are after the damage. */
export function damaged(bytes: Buffer, { kind, from, distance, length, byte }: Damage): Buffer {
  const reach = distance % Math.max(1, bytes.length);
  const at = from === "beginning" ? reach : bytes.length - 1 - reach;
  const [before, hit, after] = [
    bytes.subarray(0, at),
    bytes.subarray(at, at + length),
    bytes.subarray(at + length),
  ];
  switch (kind) {
    case "bit flipped": {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (byte % 8));
      return flipped;
    }
    case "cut":
      return Buffer.from(before);
    case "bytes lost":
      return Buffer.concat([before, after]);
    case "bytes repeated":
      return Buffer.concat([before, hit, hit, after]);
    case "bytes zeroed":
      return Buffer.concat([before, Buffer.alloc(hit.length), after]);
    case "bytes overwritten":
      return Buffer.concat([before, Buffer.alloc(hit.length, byte), after]);
  }
}

/** A Parquet file whose footer tells two rows more than its row groups have. */
export function withOtherRowsInFooter(parquet: Buffer, rows: number): Buffer {
  // In Thrift: the number of rows, and then the list of row groups.
  const place = parquet.indexOf(Buffer.from([0x16, 2 * rows, 0x19]));
  if (place < 0) throw new RangeError(`the footer does not tell ${rows.toString()} rows`);
  const changed = Buffer.from(parquet);
  changed[place + 1] = 2 * (rows + 2);
  return changed;
}
