import * as z from "zod";
import { parseRulesFile } from "./rules-file.js";
import type { SegmentKind } from "./segment-kinds.js";

export { SEGMENT_KINDS, type SegmentKind } from "./segment-kinds.js";

/** One segment: everything above the previous segment, up to and including `up_to`; the last one has no end. */
const segmentSchema = z.strictObject({ name: z.string().min(1).max(64), up_to: z.int().optional() });

const kindSchema = z
  .strictObject({
    description: z.string(),
    measure: z.string().regex(/^[a-z][a-z0-9_]*$/),
    segments: z.array(segmentSchema).min(2),
  })
  .superRefine(({ segments }, context) => {
    segments.forEach(({ name, up_to }, index) => {
      const isLast = index === segments.length - 1;
      const previous = segments[index - 1]?.up_to;
      if (isLast !== (up_to === undefined)) {
        context.addIssue({
          code: "custom",
          path: ["segments", index],
          message: "every segment except the last needs an 'up_to'",
        });
      } else if (up_to !== undefined && previous !== undefined && up_to <= previous) {
        context.addIssue({
          code: "custom",
          path: ["segments", index],
          message: `'${name}' must have an 'up_to' above ${String(previous)}`,
        });
      }
    });
    if (new Set(segments.map(({ name }) => name)).size < segments.length) {
      context.addIssue({ code: "custom", path: ["segments"], message: "two segments have the same name" });
    }
  });

const segmentsSchema = z.strictObject({ frequent_segment: kindSchema, recency_segment: kindSchema });

/** The segments of one SQL version. `sql/<version>/segments.json` defines them for SQL and API alike. */
export type Segments = Readonly<z.infer<typeof segmentsSchema>>;

/**
 * Reads segments from the text of their file.
 * @param file its name in messages.
 * @throws PipelineError INVALID_MODEL if it is malformed, naming file and place.
 */
export function parseSegments(text: string, file: string): Segments {
  return parseRulesFile(segmentsSchema, text, file);
}

/** The segment of a measured value (orders, or days since the last order). The left edge is exclusive. */
export function segmentOf(segments: Segments, kind: SegmentKind, value: number): string {
  const found = segments[kind].segments.find(({ up_to }) => up_to === undefined || value <= up_to);
  if (found === undefined) throw new RangeError(`no ${kind} contains ${String(value)}`);
  return found.name;
}

/** The bounds of a segment in words: `above 13, up to 37`. */
export function boundsOf(segments: Segments, kind: SegmentKind, name: string): string {
  const { segments: ofKind } = segments[kind];
  const index = ofKind.findIndex((segment) => segment.name === name);
  const above = ofKind[index - 1]?.up_to;
  const upTo = ofKind[index]?.up_to;
  return [
    ...(above === undefined ? [] : [`above ${above.toString()}`]),
    ...(upTo === undefined ? [] : [`up to ${upTo.toString()}`]),
  ].join(", ");
}

/** The file of a SQL version that defines the segments. */
export const SEGMENTS_FILE = "segments.json";
