import * as z from "zod";
import { PROBLEMS, PROBLEM_URN } from "../problem.js";

/** A problem document, as RFC 9457 writes it. */
export const problemSchema = z
  .object({
    type: z.enum(Object.keys(PROBLEMS).map((type) => PROBLEM_URN + type)),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: "What is wrong, and what to do" }),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .meta({ description: "The fields at fault" }),
  })
  .meta({ id: "Problem", description: "What is wrong with a request, or with the service" });
