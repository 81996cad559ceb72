import { constants, gunzipSync } from "node:zlib";
import type { Zone, ZoneFile } from "../zones/zone.js";

/** Enough for the header line of most CSV files. */
const BEGINNING_BYTES = 16_384;

/** The supported formats, by the end of the file name. */
type ReadFormat = "csv" | "csv.gz" | "parquet";

/** The kind of a file by its first bytes. */
interface Content {
  /** Continues a sentence after the name of the file. */
  readonly is: string;
  readonly remedy: string;
  readonly format?: ReadFormat;
}

interface Kind extends Content {
  readonly matches: (bytes: Buffer, text: string) => boolean;
}

const REPACK = "unpack it, or compress it with gzip as *.csv.gz";
const DOWNLOAD = "download the file again";
const AS_CSV = "save its sheet as CSV UTF-8";

/** The first match counts. The text has no byte order mark and no blanks at its start. */
const KINDS: readonly Kind[] = [
  { ...beginning("PAR1"), is: "is a Parquet file", remedy: "name it *.parquet", format: "parquet" },
  { ...beginning("PARE"), is: "is an encrypted Parquet file", remedy: "write it without encryption" },
  {
    ...containing("PK\x03\x04", /xl\/|\[Content_Types\]/),
    is: "is an Excel workbook (.xlsx)",
    remedy: AS_CSV,
  },
  { ...beginning("PK"), is: "is a ZIP archive", remedy: "unpack it" },
  { ...beginning("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), is: "is an Excel workbook (.xls)", remedy: AS_CSV },
  { ...beginning("\x28\xb5\x2f\xfd"), is: "is compressed by zstd", remedy: REPACK },
  { ...beginning("BZh"), is: "is compressed by bzip2", remedy: REPACK },
  { ...beginning("\xfd7zXZ"), is: "is compressed by xz", remedy: REPACK },
  { ...beginning("\x04\x22\x4d\x18"), is: "is compressed by lz4", remedy: REPACK },
  { ...beginning("\xff\x06\x00\x00sNaPpY"), is: "is compressed by snappy", remedy: REPACK },
  { ...beginning("7z\xbc\xaf\x27\x1c"), is: "is a 7z archive", remedy: "unpack it" },
  { ...beginning("Rar!\x1a\x07"), is: "is a RAR archive", remedy: "unpack it" },
  { ...beginning("ustar", 257), is: "is a tar archive", remedy: "unpack it" },
  { ...beginning("ORC"), is: "is an ORC file", remedy: "write it as Parquet" },
  { ...beginning("Obj\x01"), is: "is an Avro file", remedy: "write it as Parquet" },
  { ...beginning("ARROW1"), is: "is an Arrow file", remedy: "write it as Parquet" },
  { ...beginning("FEA1"), is: "is a Feather file", remedy: "write it as Parquet" },
  {
    ...beginning("SQLite format 3\0"),
    is: "is an SQLite database",
    remedy: "write its table as Parquet or CSV",
  },
  { ...beginning("DUCK", 8), is: "is a DuckDB database", remedy: "write its table as Parquet or CSV" },
  { ...beginning("%PDF"), is: "is a PDF document", remedy: "get the data as CSV or Parquet" },
  { matches: isUtf32, is: "is text in UTF-32", remedy: "save it as UTF-8" },
  { matches: isUtf16, is: "is text in UTF-16", remedy: "save it as UTF-8" },
  {
    ...saying(/^version https:\/\/git-lfs\.github\.com\//),
    is: "is a git-lfs pointer instead of the file",
    remedy: "fetch the file with: git lfs pull",
  },
  {
    ...saying(/^<(!doctype html|html|head|body)\b/i),
    is: "is an HTML page, perhaps the error or login page of a server",
    remedy: DOWNLOAD,
  },
  {
    ...saying(/^<\?xml|^<!--|^<[a-z_][^<>]*>\s*</i),
    is: "is XML, perhaps the error answer of a server",
    remedy: DOWNLOAD,
  },
  {
    ...saying(/^(\{\s*["}]|\[\s*[[{"\]\d-])/),
    is: "is JSON",
    remedy: "write it as CSV or Parquet",
  },
  {
    ...saying(/^"?sep=/i),
    is: "begins with Excel's line sep=",
    remedy: "remove that line, and separate the values by commas",
  },
];

const SEPARATORS: Readonly<Record<string, string>> = {
  ",": "commas",
  ";": "semicolons",
  "\t": "tabs",
  "|": "vertical bars",
  " ": "blanks",
};

/**
 * Inspects the first bytes of an unreadable file.
 * @param needed the columns that the model reads.
 * @returns the real kind of the file, if its name is wrong, and the remedy; undefined if that is unknown.
 */
export async function whatFileIs(
  zone: Zone,
  file: ZoneFile,
  needed: readonly string[],
): Promise<string | undefined> {
  if (file.bytes === 0) return "is empty";
  // Another fault already reports a file that does not open.
  const bytes = await readBeginning(zone, file).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const named = /\.(csv\.gz|csv|parquet)(\.gzip)?$/.exec(file.path)?.[1];
  const content = contentOf(bytes, needed) ?? UNLIKE_ITS_NAME[named ?? ""];
  if (content === undefined || content.format === named) return undefined;
  return `${content.is}; ${content.remedy}`;
}

/** The messages about unknown content, by the end of the file name. */
const UNLIKE_ITS_NAME: Readonly<Record<string, Content>> = {
  parquet: { is: "is not a Parquet file", remedy: "write it as Parquet, or name it *.csv if it is CSV" },
  "csv.gz": { is: "is not gzip", remedy: "compress the CSV with gzip, or name it *.csv" },
};

async function readBeginning(zone: Zone, file: ZoneFile): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop ends the stream.
  for await (const chunk of zone.read(file)) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length >= BEGINNING_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, BEGINNING_BYTES);
}

function contentOf(bytes: Buffer, needed: readonly string[]): Content | undefined {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gzipContent(bytes, needed) : plainContent(bytes, needed);
}

function plainContent(bytes: Buffer, needed: readonly string[]): Content | undefined {
  const text = textOf(bytes);
  return KINDS.find(({ matches }) => matches(bytes, text)) ?? separatedText(text, needed);
}

function gzipContent(bytes: Buffer, needed: readonly string[]): Content {
  const inner = contentOf(unpacked(bytes), needed);
  switch (inner?.format) {
    case "csv":
      return { is: "is CSV compressed by gzip", remedy: "name it *.csv.gz", format: "csv.gz" };
    case "csv.gz":
      return { is: "is compressed by gzip twice", remedy: "unpack it once" };
    case "parquet":
      return { is: "is a Parquet file inside gzip", remedy: "unpack it with gunzip, and name it *.parquet" };
    case undefined:
      return inner === undefined
        ? {
            is: "is compressed by gzip",
            remedy: "unpack it, or name it *.csv.gz if it is CSV",
            format: "csv.gz",
          }
        : { ...inner, is: `${inner.is}, compressed by gzip` };
  }
}

/** The contents of the first bytes of a gzip file. */
function unpacked(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}

/** Text with the needed names in its first line, by their separator. */
function separatedText(text: string, needed: readonly string[]): Content | undefined {
  const [header = ""] = text.split(/[\r\n]/, 1);
  const found = Object.entries(SEPARATORS)
    .map(([separator, name]) => ({ separator, name, count: namesIn(header.split(separator), needed) }))
    .reduce((best, each) => (each.count > best.count ? each : best));
  if (found.count < 2) return undefined;
  if (found.separator === ",") return { is: "is CSV", remedy: "name it *.csv", format: "csv" };
  return { is: `has its values separated by ${found.name}`, remedy: "separate them by commas" };
}

function namesIn(fields: readonly string[], needed: readonly string[]): number {
  const names = new Set(fields.map((field) => field.trim().replaceAll('"', "").toLowerCase()));
  return needed.filter((name) => names.has(name.toLowerCase())).length;
}

function textOf(bytes: Buffer): string {
  return bytes.toString("utf8").replace(/^[\ufeff\s]+/, "");
}

function beginning(mark: string, at = 0): Pick<Kind, "matches"> {
  const bytes = Buffer.from(mark, "latin1");
  return { matches: (all) => all.subarray(at, at + bytes.length).equals(bytes) };
}

function containing(mark: string, pattern: RegExp): Pick<Kind, "matches"> {
  const { matches } = beginning(mark);
  return { matches: (bytes, text) => matches(bytes, text) && pattern.test(bytes.toString("latin1")) };
}

function saying(pattern: RegExp): Pick<Kind, "matches"> {
  return { matches: (_bytes, text) => pattern.test(text) };
}

/** Detects the encoding by its byte order mark, or by the zeros of a text that begins with Latin letters. */
function isUtf16(bytes: Buffer): boolean {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  return (
    (first === 0) !== (second === 0) && (first === 0) === (third === 0) && (second === 0) === (fourth === 0)
  );
}

function isUtf32(bytes: Buffer): boolean {
  const begin = bytes.toString("latin1", 0, 4);
  return begin === "\xff\xfe\0\0" || begin === "\0\0\xfe\xff" || /^(\0\0\0[^\0]|[^\0]\0\0\0)$/s.test(begin);
}
