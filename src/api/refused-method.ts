import type { Request, Response } from "express";
import { Problem } from "./problem.js";

/** What whoever asks by a method that is not offered is told; the response says those that are. */
export function refusedMethod(request: Request, response: Response, offered: readonly string[]): Problem {
  response.set("Allow", offered.join(", "));
  return new Problem(
    "method-not-allowed",
    `${request.method} is not offered at ${request.path}; use ${offered.join(" or ")}.`,
  );
}
