import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "@jest/globals";
import { TEST_S3 } from "../../place.js";

/** What a proxy can change of an answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/**
 * What the proxy does with a request: an error of S3 in its own words, a connection that breaks before the answer or in the
 * middle of its body, an answer that is late, or the server's answer with changes.
 */
export type Fault =
  | { readonly status: number; readonly code: string }
  | "cut"
  | "cut in the body"
  | "late"
  | ((answer: Answer) => Answer)
  | undefined;

const LATENCY_MILLISECONDS = 300;

const proxies: Server[] = [];

afterAll(() => {
  for (const proxy of proxies.splice(0)) {
    proxy.closeAllConnections();
    proxy.close();
  }
});

/**
 * Stands before the S3 of the tests, for faults that a real one does not have on demand. The host name goes through as it
 * came, so that signatures hold.
 * @param faultOf what is wrong with a request.
 * @param target the endpoint of the S3 behind it.
 * @returns the endpoint.
 */
export async function startFaultyProxy(
  faultOf: (request: IncomingMessage) => Fault,
  target = TEST_S3?.endpoint ?? "",
): Promise<string> {
  const proxy = createServer((incoming, outgoing) => {
    const fault = faultOf(incoming);
    if (fault === undefined) forward(incoming, outgoing, target);
    else if (fault === "late")
      setTimeout(() => {
        forward(incoming, outgoing, target);
      }, LATENCY_MILLISECONDS);
    else if (fault === "cut in the body") forward(incoming, outgoing, target, { isCut: true });
    else if (fault === "cut") incoming.socket.destroy();
    else if (typeof fault === "function") forwardChanged(incoming, outgoing, target, fault);
    else answer(incoming, outgoing, fault);
  });
  await new Promise<void>((listening) => proxy.listen(0, "127.0.0.1", listening));
  proxies.push(proxy);
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port.toString()}`;
}

/** Passes a request on as it came, and the answer back, or but the first half of its body. */
export function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target = TEST_S3?.endpoint ?? "",
  { isCut = false } = {},
): void {
  const { hostname, port } = new URL(target);
  const { method, url: path, headers } = incoming;
  const onward = request({ hostname, port, method, path, headers }, (reply) => {
    outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
    if (isCut) {
      reply.once("data", (data: Buffer) => {
        outgoing.write(data.subarray(0, data.length / 2), () => incoming.socket.destroy());
      });
      reply.once("end", () => incoming.socket.destroy());
    } else reply.pipe(outgoing);
  });
  onward.on("error", () => outgoing.destroy());
  incoming.pipe(onward);
}

function forwardChanged(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: string,
  change: (answer: Answer) => Answer,
): void {
  const { hostname, port } = new URL(target);
  const { method, url: path, headers } = incoming;
  const onward = request({ hostname, port, method, path, headers }, (reply) => {
    const chunks: Buffer[] = [];
    reply.on("data", (chunk: Buffer) => chunks.push(chunk));
    reply.on("end", () => {
      // Latin-1 keeps every byte as it is, also those of Parquet.
      const original = Buffer.concat(chunks).toString("latin1");
      const changed = change({ status: reply.statusCode ?? 502, headers: reply.headers, body: original });
      const body = Buffer.from(changed.body, "latin1");
      const length = changed.body === original ? {} : { "content-length": String(body.length) };
      outgoing.writeHead(changed.status, { ...changed.headers, ...length });
      outgoing.end(body);
    });
  });
  onward.on("error", () => outgoing.destroy());
  incoming.pipe(onward);
}

function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: { readonly status: number; readonly code: string },
) {
  incoming.resume();
  incoming.on("end", () => {
    outgoing.writeHead(fault.status, { "content-type": "application/xml" });
    outgoing.end(
      incoming.method === "HEAD"
        ? ""
        : `<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>as the test wants it</Message></Error>`,
    );
  });
}
