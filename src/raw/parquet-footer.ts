/**
 * Changes of single bytes in the footer of a Parquet file, so that a reader takes moments for the numbers that they are
 * stored as. The footer keeps its length, and the pages stay as they are.
 */

/** What to take a column of moments for: whole numbers, or moments without a time zone. */
export type Taking = "numbers" | "moments without a time zone";

/** What a footer has more of than its metadata: their length in bytes, and `PAR1`. */
export const FOOTER_END = 8;

/** The field numbers of the format's own definition, parquet.thrift. */
const SCHEMA = 2;
const CONVERTED_TYPE = 6;
const LOGICAL_TYPE = 10;
const TIMESTAMP = 8;
const IS_ADJUSTED_TO_UTC = 1;
/** In the union of logical types a number that means nothing: what has it is not looked at. */
const NO_LOGICAL_TYPE = 9;
/** The converted type of a whole number of 64 bits, as it is written. */
const INT_64 = 18 << 1;

/** The types of the compact protocol of Thrift. */
const STOP = 0;
const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const SET = 10;
const MAP = 11;
const STRUCT = 12;

/** A field of a struct: its number, its type, and where its head and its value begin. */
interface Field {
  readonly id: number;
  readonly type: number;
  readonly head: number;
  readonly value: number;
}

/**
 * Changes how columns of moments are said to be stored.
 * @param metadata of the file, changed in its place.
 * @param columns what to take each column for, by its place in the schema.
 * @throws RangeError where the metadata is not what it should be.
 */
export function takeMomentsFor(metadata: Buffer, columns: ReadonlyMap<number, Taking>): void {
  const reader = new CompactReader(metadata);
  reader.eachField(0, (field) => {
    if (field.id !== SCHEMA) return;
    reader.eachItem(field, (index, at) => {
      const taking = columns.get(index);
      if (taking === undefined) return;
      reader.eachField(at, (element) => {
        if (element.id === CONVERTED_TYPE && taking === "numbers") metadata[element.value] = INT_64;
        if (element.id === LOGICAL_TYPE) changeLogicalType(reader, element, taking);
      });
    });
  });
}

function changeLogicalType(reader: CompactReader, { value }: Field, taking: Taking): void {
  const { bytes } = reader;
  reader.eachField(value, (logical) => {
    if (logical.id !== TIMESTAMP) throw new RangeError("a column of moments has another logical type");
    if (taking === "numbers") bytes[logical.head] = (NO_LOGICAL_TYPE << 4) | STRUCT;
    else
      reader.eachField(logical.value, (part) => {
        if (part.id === IS_ADJUSTED_TO_UTC) bytes[part.head] = (IS_ADJUSTED_TO_UTC << 4) | FALSE;
      });
  });
}

/** Finds its way through what is written in the compact protocol. */
class CompactReader {
  constructor(readonly bytes: Buffer) {}

  /** @returns where the struct has ended. */
  eachField(begin: number, visit: (field: Field) => void): number {
    let id = 0;
    for (let at = begin; ;) {
      const head = at;
      const byte = this.#byte(at++);
      const type = byte & 0x0f;
      if (type === STOP) return at;
      if (byte >> 4 === 0) {
        const [number, end] = this.#varint(at);
        id = (number >> 1) ^ -(number & 1);
        at = end;
      } else id += byte >> 4;
      const next = this.#skip(type, at, true);
      visit({ id, type, head, value: at });
      at = next;
    }
  }

  eachItem({ type, value }: Field, visit: (index: number, at: number) => void): void {
    if (type !== LIST) throw new RangeError("the schema is no list");
    const [size, itemType, begin] = this.#listHead(value);
    let at = begin;
    for (let index = 0; index < size; index++) {
      visit(index, at);
      at = this.#skip(itemType, at, false);
    }
  }

  #byte(at: number): number {
    const byte = this.bytes[at];
    if (byte === undefined) throw new RangeError("the footer ends too early");
    return byte;
  }

  /** The lowest 32 bits of a number, and where it ends. */
  #varint(begin: number): [number: number, end: number] {
    let number = 0;
    for (let at = begin, shift = 0; ; at++, shift += 7) {
      const byte = this.#byte(at);
      if (shift < 32) number |= (byte & 0x7f) << shift;
      if (byte < 0x80) return [number, at + 1];
    }
  }

  #listHead(at: number): [size: number, type: number, begin: number] {
    const byte = this.#byte(at);
    if (byte >> 4 !== 15) return [byte >> 4, byte & 0x0f, at + 1];
    const [size, begin] = this.#varint(at + 1);
    return [size, byte & 0x0f, begin];
  }

  /** The end of a value. The value of a boolean field is in its head. */
  #skip(type: number, at: number, isField: boolean): number {
    switch (type) {
      case TRUE:
      case FALSE:
        return isField ? at : at + 1;
      case BYTE:
        return at + 1;
      case DOUBLE:
        return at + 8;
      case BINARY: {
        const [length, begin] = this.#varint(at);
        return begin + length;
      }
      case LIST:
      case SET: {
        const [size, itemType, begin] = this.#listHead(at);
        let end = begin;
        for (let index = 0; index < size; index++) end = this.#skip(itemType, end, false);
        return end;
      }
      case MAP:
        throw new RangeError("the footer has a map");
      case STRUCT:
        return this.eachField(at, () => undefined);
      default:
        return this.#varint(at)[1];
    }
  }
}
