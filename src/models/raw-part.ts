/** A column of a raw file, as SQL can read it. */
export interface RawColumn {
  /** The name under which DuckDB knows the column. */
  readonly name: string;
  /** Its type in the files. Files of another type are another part: a scan would cast them to that of its first file. */
  readonly type: string;
  /**
   * What it holds moments by, where DuckDB would convert them to microseconds and lose some: milliseconds, nanoseconds with a time
   * zone, or INT96. The first two have the type BIGINT or TIMESTAMP_NS where their numbers are read as they are.
   */
  readonly unit?: "milliseconds" | "nanoseconds" | "int96";
  /** What a nested type is made of. */
  readonly parts?: string;
  /** The type to cast it to before a function of the models takes it, where its own is none that they know. */
  readonly castTo?: "DOUBLE" | "VARCHAR";
}

/** Raw files that one SELECT can read: of one format, with the same columns of the same types. */
export interface RawPart {
  readonly format: "csv" | "parquet";
  /** What the paths of the files begin with: the raw zone, or the folder that their copies are in. */
  readonly root: string;
  /** Where the files are, in the order of their names, each as a pattern that matches it alone. */
  readonly files: readonly string[];
  /** A name that is no column of any of the files, for the column that tells the file. */
  readonly fileColumn: string;
  /** The columns that the raw model reads. */
  readonly columns: Readonly<Record<string, RawColumn>>;
  /** For CSV, said and not left to be found: in a path with a `?` the engine would not see the end. */
  readonly compression: "gzip" | "none";
  /** For Parquet, what the pages are compressed with, by DuckDB's names; where only DuckDB reads the files, nobody asks. */
  readonly codecs?: readonly string[];
  /** For CSV, every column in the order of the header line. */
  readonly header: readonly string[];
  /** For CSV, how many rows the check of the bytes has counted in all files together. */
  readonly rowCount?: number;
  /** For CSV, whether one thread must read a file from its beginning to its end: quoted values hold line breaks. */
  readonly isReadInOrder?: true;
  /**
   * For Parquet, whether the needed columns must be named: DuckDB looks at the statistics of all that are asked for, and fails at
   * milliseconds that it cannot convert.
   */
  readonly isReadByName?: true;
}
