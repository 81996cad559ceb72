import { createHash } from "node:crypto";
import type { Request, Response } from "express";
import { identityOf, type Publication } from "../../voucher/publication-identity.js";
import type { Services } from "./services.js";

/** Which publication answers: that, and its age, stand in headers of every answer. */
export const PUBLICATION_HEADER = "Publication-Execution-Date";
/** The seconds since the database last said that it is the newest one. */
export const CONFIRMED_HEADER = "Publication-Confirmed-Seconds";

/** Says in the headers which publication answers, and how long ago the database confirmed it. */
export function tellPublication(
  response: Response,
  services: Services,
  publication: Publication | undefined,
): void {
  const seconds = confirmedSeconds(services);
  if (publication !== undefined) response.setHeader(PUBLICATION_HEADER, publication.executionDate.iso);
  if (seconds !== undefined) response.setHeader(CONFIRMED_HEADER, Math.floor(seconds).toString());
}

/** How long ago the database said which publication is the newest one; undefined where it never has. */
export function confirmedSeconds({ store, now }: Services): number | undefined {
  const { confirmedAt } = store.status;
  return confirmedAt === undefined
    ? undefined
    : Math.max(0, (now().getTime() - confirmedAt.getTime()) / 1_000);
}

/**
 * Whether the client has this answer already; it is then told so, and nothing more is to be sent. The answer to one
 * address changes with the publications it is made of and, where it counts days, with the day.
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

/** The tags of single publications, on one day: most answers are of one. */
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

/** Weak: compression makes other bytes of the same answer. */
function newEntityTag(publications: readonly Publication[], day: string): string {
  const hash = createHash("sha256").update([...publications.map(identityOf), day].join("\n"));
  return `W/"${hash.digest("base64url").slice(0, 22)}"`;
}
