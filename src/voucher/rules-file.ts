import * as z from "zod";
import { messageOf, PipelineError } from "../base/errors.js";

/**
 * Reads a JSON file of a SQL version from its text.
 * @param file its name in messages.
 * @throws PipelineError INVALID_MODEL if it is malformed, naming file and place.
 */
export function parseRulesFile<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  file: string,
): z.output<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new PipelineError("INVALID_MODEL", `${file}: ${messageOf(error)}`, { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new PipelineError("INVALID_MODEL", `${file}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
