import type { RequestHandler } from "express";
import type { KeyedPart } from "../../settings.js";
import { Problem } from "../problem.js";
import type { KeyRing } from "./key-ring.js";

/** Probes have no key. */
const OPEN_TO_PROBES = ["/livez", "/readyz"];

/** Whether a path asks for a key, where there are keys. */
export function needsKey(path: string, part: KeyedPart): boolean {
  return part === "v1" ? /^\/v1(\/|$)/i.test(path) : !OPEN_TO_PROBES.includes(path);
}

/** Lets nobody pass without a key that counts, sent as `Authorization: Bearer <key>`. */
export function requireKey(ring: KeyRing, part: KeyedPart, now: () => Date): RequestHandler {
  return (request, response, next) => {
    if (!needsKey(request.path, part)) {
      next();
      return;
    }
    const [, key] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    request.key = key === undefined ? undefined : ring.find(key, now());
    if (request.key !== undefined) {
      next();
      return;
    }
    response.set("WWW-Authenticate", "Bearer");
    throw new Problem(
      "key-missing",
      key === undefined
        ? "Send a key of yours as the header Authorization: Bearer <key>."
        : "The key is unknown, was taken back or has expired.",
    );
  };
}
