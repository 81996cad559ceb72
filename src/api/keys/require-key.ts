import type { RequestHandler } from "express";
import type { KeyedPart } from "../../settings/settings.js";
import { prefersPage } from "../page/prefers-page.js";
import { Problem } from "../problem.js";
import type { KeyRing } from "./key-ring.js";

/** Probes have no key. */
const OPEN_TO_PROBES = ["/livez", "/readyz"];

/** Has a browser ask the person for a name, which does not matter, and a password: the key. */
const ASK_PERSON = 'Basic realm="vouchers: any name, and your key as password", charset="UTF-8"';

/** Whether a path of the api asks for a key, where there are keys. */
export function needsKey(path: string, part: KeyedPart): boolean {
  return part === "v1" ? /^\/v1(\/|$)/i.test(path) : !OPEN_TO_PROBES.includes(path);
}

/** Lets nobody pass without a key that counts: `Authorization: Bearer <key>`, or a browser's `Basic` with it as password. */
export function requireKey(ring: KeyRing, now: () => Date): RequestHandler {
  return (request, response, next) => {
    const key = keyOf(request.headers.authorization ?? "");
    request.key = key === undefined ? undefined : ring.find(key, now());
    if (request.key !== undefined) {
      next();
      return;
    }
    response.set("WWW-Authenticate", prefersPage(request) ? ASK_PERSON : "Bearer");
    throw new Problem(
      "key-missing",
      key === undefined
        ? "Send a key of yours as the header Authorization: Bearer <key>."
        : "The key is unknown, was taken back or has expired.",
    );
  };
}

function keyOf(authorization: string): string | undefined {
  const [, scheme = "", credentials = ""] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization) ?? [];
  if (scheme.toLowerCase() !== "basic") return credentials === "" ? undefined : credentials;
  const pair = Buffer.from(credentials, "base64").toString();
  return pair.includes(":") ? pair.slice(pair.indexOf(":") + 1) : undefined;
}
