import type { Express, Request, RequestHandler } from "express";
import type { TrustedProxies } from "../../settings/settings.js";
import { Problem } from "./problems.js";

declare module "http" {
  interface IncomingMessage {
    /** The path below which a proxy serves this service, for example `/vouchers`; empty without one. */
    prefix: string;
  }
}

/** Without a trusted proxy, a client could choose the addresses that the pages show. */
const PREFIX = /^(\/[a-z0-9._~-]+)+\/?$/i;
const LONGEST_PREFIX = 200;

/** Makes `request.protocol` and `request.host` those of the client, if the proxy in front is trusted. */
export function trustProxies(app: Express, proxies: TrustedProxies): void {
  app.set("trust proxy", proxies);
}

/**
 * Reads `X-Forwarded-Prefix` of a trusted proxy.
 * @throws Problem invalid-request if it is not a path.
 */
export const readPrefix: RequestHandler = (request, _response, next) => {
  request.prefix = "";
  const isTrusted = request.app.get("trust proxy fn") as (address: string, hop: number) => boolean;
  const given = request.get("x-forwarded-prefix") ?? "";
  if (given !== "" && given !== "/" && isTrusted(request.socket.remoteAddress ?? "", 0)) {
    if (!PREFIX.test(given) || given.length > LONGEST_PREFIX || /\/\.{1,2}(\/|$)/.test(given))
      throw new Problem(
        "invalid-request",
        "X-Forwarded-Prefix must be a path such as /vouchers. The proxy in front of the service sets it.",
      );
    request.prefix = given.replace(/\/$/, "");
  }
  next();
};

/** A valid host. A browser sends nothing else; for any other text the usual host is used. */
const HOST = /^[a-z0-9.-]+(:\d+)?$|^\[[0-9a-f:.]+\](:\d+)?$/i;

/** The start of the service's addresses, as the client sees it. */
export function originOf(request: Request): string {
  const host = HOST.test(request.host) ? request.host : "127.0.0.1:8000";
  return `${request.protocol}://${host}${request.prefix}`;
}

/** The same page with all of its links below the prefix. Text between tags has no quote: it is escaped. */
export function belowPrefix({ prefix }: Request, html: string): string {
  return prefix === "" ? html : html.replace(/ (href|action|src)="\/(?!\/)/g, ` $1="${prefix}/`);
}
