import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { afterAll } from "@jest/globals";

/** A span as OTLP writes it in JSON. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  /** 2 if it failed. */
  readonly status: { readonly code: number; readonly message?: string };
  readonly attributes: readonly Attribute[];
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}

interface Request {
  readonly address: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
  }[];
}

/** A receiver of OTLP that keeps what it is sent. */
export interface OtlpReceiver {
  readonly endpoint: string;
  readonly requests: readonly Request[];
  spans(): ReceivedSpan[];
  /** What all spans say of the service that sent them. */
  service(): Record<string, unknown>;
}

const servers: Server[] = [];

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** @param status that it answers with. */
export async function receiveOtlp(status = 200): Promise<OtlpReceiver> {
  const requests: Request[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      requests.push({ address: request.url, headers: request.headers, body });
      response.writeHead(status, { "Content-Type": "application/json" }).end("{}");
    });
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const resources = () => requests.flatMap(({ body }) => (JSON.parse(body) as Body).resourceSpans);
  return {
    endpoint: `http://127.0.0.1:${address.port.toString()}`,
    requests,
    spans: () => resources().flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    service: () => attributesOf(resources().flatMap(({ resource }) => resource.attributes)),
  };
}

/** Attributes by their names. */
export function attributesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]));
}
