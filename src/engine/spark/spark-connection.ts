import { readFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { rootCertificates } from "node:tls";
import type * as hive from "hive-driver";
import { cancelled, messageOf, PipelineError, systemCodeOf } from "../../base/errors.js";
import type { SparkSettings } from "../../settings/settings.js";
import { answerError, connectError, nameOf } from "./spark-errors.js";

/** A session at the server, as hive-driver has it. */
type HiveSession = Awaited<ReturnType<hive.HiveClient["openSession"]>>;

/** How long the server may take, in milliseconds. */
export interface Limits {
  /** To let the client in. */
  readonly connect: number;
  /** To open a session, for which it may have to start something. */
  readonly open: number;
  /** To answer any other call. None of them waits for a statement to end. */
  readonly answer: number;
  /** To end what is of no use any more. */
  readonly farewell: number;
}

/** A session at a Spark. */
export interface SparkConnection {
  /** How messages name the server. */
  readonly server: string;
  readonly session: HiveSession;
  /**
   * Waits for what the server answers to a call.
   * @throws SparkError if it refuses, PipelineError ENGINE_UNAVAILABLE if it is lost.
   */
  readonly answer: <Answer>(call: Promise<Answer>) => Promise<Answer>;
  /** Waits a little for the end of what is of no use any more; what goes wrong there no longer decides anything. */
  readonly farewell: (call: Promise<unknown>) => Promise<void>;
  /** Ends the session, even if the server is gone. */
  readonly close: () => Promise<void>;
}

/** What passes within seconds: a server that starts, or that has just been replaced. */
const PASSING = ["ECONNREFUSED", "ECONNRESET", "EPIPE", "EAI_AGAIN"];
const PAUSES_MILLISECONDS = [250, 1_000];

/** The version of HiveServer2's protocol from which on results come by columns. */
const PROTOCOL_VERSION = 7;
/**
 * A server waits some seconds with its answer on how a statement is doing, in the hope to tell of its end, and meanwhile answers
 * nothing else on the connection.
 */
const AT_ONCE = { "hive.server2.long.polling.timeout": "0ms" };

/**
 * Opens a session. If the server refuses the connection, it is asked three times.
 * @throws PipelineError ENGINE_UNAVAILABLE if it cannot be reached, ENGINE_NOT_USABLE if it does not let in.
 */
export async function connectSpark(
  settings: SparkSettings,
  signal: AbortSignal,
  limits: Limits,
): Promise<SparkConnection> {
  const authorities = await trustedAuthorities(settings.caBundle);
  for (let attempt = 0; ; attempt++) {
    if (signal.aborted) throw cancelled(signal);
    try {
      return await connectOnce(settings, authorities, signal, limits);
    } catch (error) {
      const pause = PAUSES_MILLISECONDS[attempt];
      if (pause === undefined || !PASSING.includes(systemCodeOf(error) ?? ""))
        throw connectError(nameOf(settings), error);
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function connectOnce(
  settings: SparkSettings,
  authorities: string | undefined,
  signal: AbortSignal,
  limits: Limits,
): Promise<SparkConnection> {
  // Loaded if it is asked for: most runs have no cluster.
  const hive = await import("hive-driver");
  const lifeline = new Lifeline();
  const { connectWith, release } = transportTo(settings, authorities, hive, lifeline);
  const cancel = () => {
    lifeline.cut(cancelled(signal));
  };
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const client = clientOf(hive, lifeline);
    await lifeline.wait(client.connect(...connectWith), limits.connect);
    const request = { client_protocol: PROTOCOL_VERSION, configuration: AT_ONCE };
    const session = await lifeline.wait(client.openSession(request), limits.open);
    const server = nameOf(settings);
    const farewell = async (call: Promise<unknown>) => {
      await lifeline.wait(call, limits.farewell).catch(() => undefined);
    };
    return {
      server,
      session,
      answer: async (call) => {
        try {
          return await lifeline.wait(call, limits.answer);
        } catch (error) {
          throw answerError(server, error);
        }
      },
      farewell,
      close: async () => {
        await farewell(session.close());
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

function clientOf(hiveDriver: typeof hive, lifeline: Lifeline): hive.HiveClient {
  const { TCLIService, TCLIService_types: types } = hiveDriver.thrift as ThriftOfHive;
  const client = new hiveDriver.HiveClient(TCLIService, types);
  client.on("error", (error: Error & { code?: string; statusCode?: number }) => {
    // What answered over HTTP is in it, too, and so is the password.
    const { message, code, statusCode } = error;
    lifeline.cut(Object.assign(new Error(message), { code, statusCode }));
  });
  return client;
}

/** What hive-driver was generated from, which it has no types for. */
interface ThriftOfHive {
  readonly TCLIService: object;
  readonly TCLIService_types: ConstructorParameters<typeof hive.HiveClient>[1];
}

/** Those that Node brings and those of a bundle; undefined if there is none. */
async function trustedAuthorities(caBundle: string | undefined): Promise<string | undefined> {
  if (caBundle === undefined) return undefined;
  try {
    return [...rootCertificates, await readFile(caBundle, "utf8")].join("\n");
  } catch (error) {
    throw new PipelineError("INVALID_SETTINGS", `cannot read ENGINE_CA_BUNDLE: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Ends every wait for a server's answers when the connection is lost: hive-driver would continue waiting. */
class Lifeline {
  readonly #lost: Promise<never>;
  #reject: (error: Error) => void = () => undefined;

  constructor() {
    this.#lost = new Promise((_, reject) => {
      this.#reject = reject;
    });
    // It is told to whoever waits.
    this.#lost.catch(() => undefined);
  }

  /** Ends every wait, now and from now on, with this error or an earlier one. */
  cut(error: Error): void {
    this.#reject(error);
  }

  /** An answer, unless the line is cut, or the server silent for so long. */
  async wait<Answer>(answer: Promise<Answer>, milliseconds: number): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer in ${milliseconds / 1_000} s`));
      }, milliseconds);
    });
    try {
      return await Promise.race([answer, this.#lost, silence]);
    } finally {
      clearTimeout(timer);
    }
  }
}

type Hive = typeof hive;
type ConnectArguments = Parameters<hive.HiveClient["connect"]>;

/** How a client gets to a server. */
interface Transport {
  /** What hive-driver connects with. */
  readonly connectWith: ConnectArguments;
  /** Lets go of what it has opened. */
  readonly release: () => void;
}

/** For a server that asks for no password: SASL has no empty ones. */
const NO_PASSWORD = "none";
const KEEP_ALIVE_MILLISECONDS = 30_000;
/** The first byte of what a server sends that has waited for TLS. */
const TLS_ALERT = 0x15;

/** @param authorities whom to trust, as PEM; undefined for those that Node trusts. */
function transportTo(
  settings: SparkSettings,
  authorities: string | undefined,
  hive: Hive,
  lifeline: Lifeline,
): Transport {
  return settings.httpPath === undefined
    ? overTcp(settings, authorities, hive, lifeline)
    : overHttp(settings, settings.httpPath, authorities, hive);
}

function overTcp(
  { host, port, tls, ...settings }: SparkSettings,
  authorities: string | undefined,
  { auth, connections }: Hive,
  lifeline: Lifeline,
): Transport {
  let socket: Socket | undefined;
  const sasl = new auth.PlainTcpAuthentication(accountOf(settings));
  const watched: Pick<typeof sasl, "authenticate"> = {
    authenticate: (transport) => {
      const authenticated = sasl.authenticate(transport);
      socket = transport.getTransport() as Socket;
      watch(socket, lifeline);
      return authenticated;
    },
  };
  // hive-driver would trust anybody, and names a method of TLS that leaves no choice of a version.
  const secure = {
    ssl: true,
    rejectUnauthorized: true,
    secureProtocol: undefined,
    minVersion: "TLSv1.2",
    ...(authorities === undefined ? {} : { ca: authorities }),
  };
  return {
    connectWith: [{ host, port, options: tls ? secure : {} }, new connections.TcpConnection(), watched],
    release: () => socket?.destroy(),
  };
}

/** Has the lifeline be cut with the connection. */
function watch(socket: Socket, lifeline: Lifeline): void {
  socket.setKeepAlive(true, KEEP_ALIVE_MILLISECONDS);
  socket.on("error", (error) => {
    lifeline.cut(error);
  });
  socket.on("close", () => {
    lifeline.cut(withCode("the server closed the connection", "ECONNRESET"));
  });
  socket.prependOnceListener("data", (data: Buffer) => {
    if (data[0] === TLS_ALERT) lifeline.cut(withCode("the server accepts only TLS", "ERR_TLS_REQUIRED"));
  });
}

function overHttp(
  { host, port, tls, ...settings }: SparkSettings,
  path: string,
  authorities: string | undefined,
  { auth, connections }: Hive,
): Transport {
  const agent = tls
    ? new https.Agent({ keepAlive: true, ...(authorities === undefined ? {} : { ca: authorities }) })
    : new http.Agent({ keepAlive: true });
  const options = { https: tls, path: `/${path}`, nodeOptions: { agent, rejectUnauthorized: true } };
  return {
    connectWith: [
      { host, port, options },
      new connections.HttpConnection(),
      new auth.PlainHttpAuthentication(accountOf(settings)),
    ],
    release: () => {
      agent.destroy();
    },
  };
}

function accountOf({ user, password = NO_PASSWORD }: Pick<SparkSettings, "user" | "password">) {
  return { username: user, password };
}

function withCode(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}
