import { headerJsonSchema } from "../../models/header.js";
import { TESTS_FOLDER } from "../../models/load.js";
import { testJsonSchema } from "../../models/test-file.js";

const HEADERS = {
  raw: "raw",
  curated: "written",
  provision: "written",
  measures: "measure",
  audits: "audit",
  inspections: "inspection",
  functions: "functions",
} as const;

/** The folders of a SQL version whose files have a schema. */
export type SchemaFolder = keyof typeof HEADERS | typeof TESTS_FOLDER;

/** The JSON Schema of the headers of the files in a folder, or of the tests. */
export function sqlFileSchema(folder: SchemaFolder): object {
  return folder === TESTS_FOLDER ? testJsonSchema() : headerJsonSchema(HEADERS[folder]);
}
