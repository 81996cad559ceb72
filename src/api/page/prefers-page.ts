import type { Request } from "express";

/** Whether whoever asks would rather read a page than JSON: a browser, by its Accept. */
export function prefersPage(request: Request): boolean {
  return request.accepts(["json", "html"]) === "html";
}
