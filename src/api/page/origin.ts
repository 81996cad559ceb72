import type { Request } from "express";

/** A host as an address has it. A browser sends nothing else; who makes one up gets the usual one. */
const HOST = /^[a-z0-9.-]+(:\d+)?$|^\[[0-9a-f:.]+\](:\d+)?$/i;

/** What the addresses of the service begin with, as whoever asks has written it. */
export function originOf(request: Request): string {
  const host = request.get("host") ?? "";
  return `${request.protocol}://${HOST.test(host) ? host : "127.0.0.1:8000"}`;
}
