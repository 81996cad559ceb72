/** A column of a raw file, as SQL can read it. */
export interface RawColumn {
  /** The name under which DuckDB knows the column. */
  readonly name: string;
  /** Its type in the files. Files of another type are another part: a scan would cast them to that of its first file. */
  readonly type: string;
  /** The type to cast it to before a function of the models takes it, where its own is none that they know. */
  readonly castTo?: "DOUBLE" | "VARCHAR";
}

/** Raw files that one SELECT can read: of one format, with the same columns of the same types. */
export interface RawPart {
  readonly format: "csv" | "parquet";
  /** Where the files are, as the engine opens them, in the order of their names. */
  readonly files: readonly string[];
  /** The columns that the raw model reads. */
  readonly columns: Readonly<Record<string, RawColumn>>;
  /** For CSV, every column in the order of the header line. */
  readonly header: readonly string[];
}
