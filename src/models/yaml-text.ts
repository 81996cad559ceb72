import {
  EVENT_ID,
  getScalarValue,
  load,
  parseEvents,
  YAMLException,
  type Event,
  type LoadOptions,
} from "js-yaml";
import type * as z from "zod";
import { PipelineError } from "../base/errors.js";

/** YAML that is a file, or a part of one. */
export interface YamlText {
  /** As messages name it. */
  readonly file: string;
  readonly text: string;
  /** How many lines of the file come before it. */
  readonly linesBefore: number;
}

/** A place in a file, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * Reads YAML.
 * @throws PipelineError INVALID_MODEL that names file and line.
 */
export function valueOfYaml({ file, text, linesBefore }: YamlText, options: LoadOptions = {}): unknown {
  try {
    return load(text, options);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { line } = placeAt(text, linesBefore, error.mark?.position ?? 0);
    throw new PipelineError("INVALID_MODEL", `${file}:${line.toString()}: ${error.reason}`, { cause: error });
  }
}

/** A fault of the part of YAML that a path leads to, with file and line. */
export function faultInYaml(yaml: YamlText, path: readonly PropertyKey[], fault: string): string {
  return `${yaml.file}:${placeInYaml(yaml, path).line.toString()}: ${fault}`;
}

/** The path of an issue in YAML. If several keys are unknown, it is the first one. */
export function pathOf(issue: z.core.$ZodIssue): readonly PropertyKey[] {
  return issue.code === "unrecognized_keys" ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path;
}

/** The place in the file of the part of YAML that a path leads to, or of the nearest existing part. */
export function placeInYaml({ text, linesBefore }: YamlText, path: readonly PropertyKey[]): Place {
  return placeAt(text, linesBefore, offsetOf(text, path));
}

/** The place of an offset in a text. */
export function placeAt(text: string, linesBefore: number, offset: number): Place {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length + linesBefore, column: (before.at(-1) ?? "").length + 1 };
}

function offsetOf(yaml: string, path: readonly PropertyKey[]): number {
  const events = parseEvents(yaml, {}).values();
  const next = () => events.next().value;
  let offset = 0;
  /** Passes a value, and looks into it for the rest of the path if that leads there. */
  const pass = (value: Event | undefined, rest: readonly PropertyKey[]) => {
    if (value?.type === EVENT_ID.DOCUMENT) pass(next(), rest);
    if (value?.type !== EVENT_ID.MAPPING && value?.type !== EVENT_ID.SEQUENCE) return;
    for (let index = 0; ; index++) {
      const place = next();
      if (place === undefined || place.type === EVENT_ID.POP) return;
      const isScalar = place.type === EVENT_ID.SCALAR;
      const isEntry = value.type === EVENT_ID.MAPPING;
      const isOnPath = rest[0] === (isEntry ? isScalar && getScalarValue(yaml, place) : index);
      const further = isOnPath ? rest.slice(1) : [];
      if (isOnPath) offset = startOf(place) ?? offset;
      pass(place, isEntry ? [] : further);
      if (isEntry) pass(next(), further);
    }
  };
  pass(next(), path);
  return offset;
}

/** The offset of a value; undefined if it is empty. */
function startOf(value: Event): number | undefined {
  switch (value.type) {
    case EVENT_ID.SCALAR:
      return value.valueStart < 0 ? undefined : value.valueStart;
    case EVENT_ID.ALIAS:
      return value.anchorStart;
    default:
      return "start" in value ? value.start : undefined;
  }
}
