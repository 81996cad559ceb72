import type { Request, Response } from "express";
import type { Logger } from "pino";

/**
 * Writes the line of one request, see "Running the api" in docs/operating.md. The query is left out: it describes a
 * customer. The line is made here because pino-http took four times as long to make it.
 */
export function logRequest(
  log: Logger,
  request: Request,
  response: Response,
  { route, milliseconds, isAborted }: { route: string; milliseconds: number; isAborted: boolean },
): void {
  log.info(
    {
      request: request.id,
      method: request.method,
      path: pathOf(request.originalUrl),
      route,
      status: response.statusCode,
      milliseconds: Math.round(milliseconds * 1_000) / 1_000,
      bytes: bytesOf(response),
      key: request.key?.name,
    },
    isAborted ? "the client left before the answer ended" : "answered",
  );
}

/** Of an answer whose length was known when it began. */
function bytesOf(response: Response): number | undefined {
  const length = response.getHeader("Content-Length");
  return length === undefined ? undefined : Number(length);
}

function pathOf(address: string): string {
  const end = address.indexOf("?");
  return end === -1 ? address : address.slice(0, end);
}
