import { createHash } from "node:crypto";
import type { Request, Response } from "express";
import { identityOf, type Publication } from "../../voucher/publication-identity.js";
import type { Services } from "./services.js";

/** The headers of every response that name the served publication and its age. */
export const PUBLICATION_HEADER = "Publication-Execution-Date";
/** The seconds since the database last confirmed that it is the newest one. */
export const CONFIRMED_HEADER = "Publication-Confirmed-Seconds";

/** Sets the headers with the served publication and the time since its confirmation. */
export function tellPublication(
  response: Response,
  services: Services,
  publication: Publication | undefined,
): void {
  const seconds = confirmedSeconds(services);
  if (publication !== undefined) response.setHeader(PUBLICATION_HEADER, publication.executionDate.iso);
  if (seconds !== undefined) response.setHeader(CONFIRMED_HEADER, Math.floor(seconds).toString());
}

/** The seconds since the database confirmed the newest publication; undefined if it never has. */
export function confirmedSeconds({ store, now }: Services): number | undefined {
  const { confirmedAt } = store.status;
  return confirmedAt === undefined
    ? undefined
    : Math.max(0, (now().getTime() - confirmedAt.getTime()) / 1_000);
}

/**
 * Whether the client already has this response. Then this sends a 304, and nothing more must be sent. The response of
 * an address changes with its publications and, if it counts days, with the day.
 */
export function isUnchanged(
  request: Request,
  response: Response,
  publications: readonly Publication[],
  day = "",
): boolean {
  response.setHeader("ETag", entityTag(publications, day));
  response.setHeader("Cache-Control", "no-cache");
  if (!request.fresh) return false;
  response.status(304).end();
  return true;
}

/** The tags of single publications, on one day: most responses are from one. */
const tags = new WeakMap<Publication, { readonly day: string; readonly tag: string }>();

function entityTag(publications: readonly Publication[], day: string): string {
  const [publication] = publications;
  if (publication === undefined || publications.length > 1) return newEntityTag(publications, day);
  const known = tags.get(publication);
  if (known?.day === day) return known.tag;
  const tag = newEntityTag(publications, day);
  tags.set(publication, { day, tag });
  return tag;
}

/** Weak: compression makes other bytes of the same response. */
function newEntityTag(publications: readonly Publication[], day: string): string {
  const hash = createHash("sha256").update([...publications.map(identityOf), day].join("\n"));
  return `W/"${hash.digest("base64url").slice(0, 22)}"`;
}
