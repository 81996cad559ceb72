import { PipelineError } from "../../base/errors.js";

/** A fault of a file of a SQL version. */
export interface SqlFault {
  /** As messages name it, for example `sql/v1/curated/vouchers.sql`. Null for a fault of the whole version. */
  readonly file: string | null;
  /** Null if the place is not known. */
  readonly line: number | null;
  readonly column: number | null;
  readonly code: SqlFaultCode;
  readonly message: string;
}

/** The part of a file that is at fault. */
export type SqlFaultCode = "header" | "template" | "reference" | "sql" | "columns" | "test";

/** The fault as one line for people: `sql/v1/curated/vouchers.sql:31:5: …`. */
export function faultText({ file, line, column, message }: SqlFault): string {
  const place = [file, line, column].filter((part) => part !== null).join(":");
  return place === "" ? message : `${place}: ${message}`;
}

/** @throws PipelineError INVALID_MODEL that lists every fault, if there are any. */
export function assertNoFaults(faults: readonly SqlFault[]): void {
  if (faults.length > 0) throw new PipelineError("INVALID_MODEL", faults.map(faultText).join("\n"));
}

/** The faults that the message of an INVALID_MODEL lists: `file:line: what is wrong`, one a line. */
export function faultsIn(code: SqlFaultCode, message: string): SqlFault[] {
  const faults: SqlFault[] = [];
  for (const text of message.split("\n")) {
    const [, file, line, what] = /^(sql\/[^\s:]+(?:: [a-z0-9_]+(?=:\d))?)(?::(\d+))?: (.*)$/.exec(text) ?? [];
    const last = faults.at(-1);
    if (file !== undefined && what !== undefined)
      faults.push({
        file,
        line: line === undefined ? null : Number(line),
        column: null,
        code,
        message: what,
      });
    else if (last === undefined) faults.push({ file: null, line: null, column: null, code, message: text });
    // A fault of a JSON file takes several lines.
    else faults[faults.length - 1] = { ...last, message: `${last.message} ${text.trim()}` };
  }
  return faults;
}
