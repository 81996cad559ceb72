import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type SpanOptions,
} from "@opentelemetry/api";
import { ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  type Resource,
} from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  RandomIdGenerator,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { messageOf } from "./errors.js";
import { versionText } from "./files.js";
import type { TraceContext } from "./trace-context.js";

/*
 * Sends spans by OTLP, as JSON over HTTP. Only processes that export load this file, because the SDK takes as long to
 * load as a small command. The SDK itself reads its variables: endpoint, headers, timeout, service name, sampler.
 */

/** Work with a start and an end. Moments are milliseconds since 1970. */
export interface TimedSpan {
  readonly name: string;
  readonly begun: number;
  readonly ended: number;
  /** The stable code of its failure; undefined if it did not fail. */
  readonly fault?: string | undefined;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** A span with its inner spans. */
export interface SpanTree extends TimedSpan {
  readonly parts: readonly TimedSpan[];
}

/** A run waits at most this long for the receiver. */
const PATIENCE_MILLISECONDS = 5_000;

/**
 * Sends a span with its inner spans, and waits until the receiver has them.
 * @param parent the caller's span.
 * @param traceId of the trace that begins here if there is no caller.
 * @throws an error with the reason.
 */
export async function sendSpans(
  service: string,
  { parts, ...whole }: SpanTree,
  { parent, traceId }: { readonly parent: TraceContext | undefined; readonly traceId: string },
): Promise<void> {
  const spans: ReadableSpan[] = [];
  const provider = providerOf(service, collecting(spans), traceId);
  const tracer = provider.getTracer(service, versionText());
  const at = parent === undefined ? ROOT_CONTEXT : contextOf(parent);
  const span = tracer.startSpan(whole.name, { ...startOf(whole), kind: SpanKind.INTERNAL }, at);
  for (const part of parts) {
    const child = tracer.startSpan(part.name, startOf(part), trace.setSpan(at, span));
    if (part.fault !== undefined) child.setStatus({ code: SpanStatusCode.ERROR });
    child.end(part.ended);
  }
  if (whole.fault !== undefined) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: whole.fault });
    span.setAttribute("error.type", whole.fault);
  }
  span.end(whole.ended);
  // The caller, or a sampler of the settings, may not want them.
  if (spans.length > 0) await exported(spans);
}

async function exported(spans: ReadableSpan[]): Promise<void> {
  const exporter = new OTLPTraceExporter({ timeoutMillis: PATIENCE_MILLISECONDS });
  try {
    await new Promise<void>((resolve, reject) => {
      exporter.export(spans, ({ code, error }) => {
        if (code === ExportResultCode.SUCCESS) resolve();
        else reject(error ?? new Error("the receiver gave no reason"));
      });
    });
  } finally {
    await exporter.shutdown();
  }
}

/** Sends spans in the background, many at a time. */
export interface SpanSender {
  /** Adds an answered request of a client. */
  add(span: TimedSpan, parent: TraceContext | undefined): void;
  /** Sends the remaining spans. */
  close(): Promise<void>;
}

/** @param warn receives a message about each batch that was not sent. */
export function openSpanSender(service: string, warn: (message: string) => void): SpanSender {
  const provider = providerOf(service, new BatchSpanProcessor(telling(new OTLPTraceExporter(), warn)));
  const tracer = provider.getTracer(service, versionText());
  return {
    add: (span, parent) => {
      const at = parent === undefined ? ROOT_CONTEXT : contextOf(parent);
      const started = tracer.startSpan(span.name, { ...startOf(span), kind: SpanKind.SERVER }, at);
      if (span.fault !== undefined) {
        started.setStatus({ code: SpanStatusCode.ERROR });
        started.setAttribute("error.type", span.fault);
      }
      started.end(span.ended);
    },
    close: () => provider.shutdown(),
  };
}

function providerOf(service: string, processor: SpanProcessor, traceId?: string): BasicTracerProvider {
  const random = new RandomIdGenerator();
  return new BasicTracerProvider({
    resource: resourceOf(service),
    spanProcessors: [processor],
    idGenerator: {
      generateTraceId: () => traceId ?? random.generateTraceId(),
      generateSpanId: () => random.generateSpanId(),
    },
  });
}

function resourceOf(service: string): Resource {
  const own = resourceFromAttributes({ "service.name": service, "service.version": versionText() });
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
}

function startOf({ begun, attributes = {} }: TimedSpan): SpanOptions {
  return { startTime: begun, attributes };
}

function contextOf({ traceId, spanId, isSampled }: TraceContext): Context {
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** Collects the finished spans. */
function collecting(spans: ReadableSpan[]): SpanProcessor {
  return {
    onStart: () => undefined,
    onEnd: (span) => spans.push(span),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

/** Adds warnings about failed exports to the exporter: the SDK itself reports none. */
function telling(exporter: SpanExporter, warn: (message: string) => void): SpanExporter {
  return {
    export: (spans, done) => {
      exporter.export(spans, (result) => {
        if (result.code !== ExportResultCode.SUCCESS)
          warn(`traces: ${spans.length.toString()} spans could not be sent: ${messageOf(result.error)}`);
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
