import { readFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { rootCertificates } from "node:tls";
import type * as hive from "hive-driver";
import { cancelled, messageOf, PipelineError, systemCodeOf } from "../../base/errors.js";
import type { SparkSettings } from "../../settings/settings.js";
import { optionalPackage } from "./optional-packages.js";
import { answerError, connectError, nameOf } from "./spark-errors.js";
import { kerberosLogin } from "./spark-kerberos.js";

/** A session at the server, in the types of hive-driver. */
type HiveSession = Awaited<ReturnType<hive.HiveClient["openSession"]>>;

/** The time limits for the server, in milliseconds. */
export interface Limits {
  /** For the connection. */
  readonly connect: number;
  /** For opening a session, which may have to start something first. */
  readonly open: number;
  /** For any other call. No call waits for the end of a statement. */
  readonly answer: number;
  /** For closing sessions and statements that are no longer needed. */
  readonly farewell: number;
}

/** A session at a Spark. */
export interface SparkConnection {
  /** How messages name the server. */
  readonly server: string;
  readonly session: HiveSession;
  /**
   * Waits for the server's response to a call.
   * @throws SparkError if it refuses, PipelineError ENGINE_UNAVAILABLE if it is lost.
   */
  readonly answer: <Answer>(call: Promise<Answer>) => Promise<Answer>;
  /** Waits briefly while something closes that is no longer needed. A failure there no longer affects the result. */
  readonly farewell: (call: Promise<unknown>) => Promise<void>;
  /** Ends the session, even if the server is gone. */
  readonly close: () => Promise<void>;
}

/** Errors that pass within seconds: the server is starting, or was just replaced. */
const PASSING = ["ECONNREFUSED", "ECONNRESET", "EPIPE", "EAI_AGAIN"];
const PAUSES_MILLISECONDS = [250, 1_000];

/** The version of HiveServer2's protocol from which on results come by columns. */
const PROTOCOL_VERSION = 7;
/**
 * By default a server delays its response about a statement for some seconds, to report its end if possible.
 * Meanwhile it sends no other response on the connection.
 */
const AT_ONCE = { "hive.server2.long.polling.timeout": "0ms" };

/**
 * Opens a session. If the server refuses the connection, it tries three times.
 * @param configuration settings of Spark for the session.
 * @throws PipelineError ENGINE_UNAVAILABLE if the server is not reachable, ENGINE_NOT_USABLE if it refuses access.
 */
export async function connectSpark(
  settings: SparkSettings,
  signal: AbortSignal,
  limits: Limits,
  configuration: Readonly<Record<string, string>> = {},
): Promise<SparkConnection> {
  const authorities = await trustedAuthorities(settings.caBundle);
  // Loaded only if needed: most runs have no cluster.
  const hive = await optionalPackage("hive-driver", () => import("hive-driver"));
  for (let attempt = 0; ; attempt++) {
    if (signal.aborted) throw cancelled(signal);
    try {
      return await connectOnce(settings, { hive, authorities }, signal, limits, configuration);
    } catch (error) {
      const pause = PAUSES_MILLISECONDS[attempt];
      if (pause === undefined || !PASSING.includes(systemCodeOf(error) ?? ""))
        throw connectError(settings, error);
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** What every attempt to connect needs. */
interface Means {
  readonly hive: Hive;
  /** The trusted authorities, as PEM; undefined for those of Node. */
  readonly authorities: string | undefined;
}

async function connectOnce(
  settings: SparkSettings,
  means: Means,
  signal: AbortSignal,
  limits: Limits,
  configuration: Readonly<Record<string, string>>,
): Promise<SparkConnection> {
  const { hive } = means;
  const lifeline = new Lifeline();
  const { connectWith, release } = await transportTo(settings, means, lifeline);
  const cancel = () => {
    lifeline.cut(cancelled(signal));
  };
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const client = clientOf(hive, lifeline);
    await lifeline.wait(client.connect(...connectWith), limits.connect);
    const ofSpark = Object.entries(configuration).map(([name, value]) => [`set:hiveconf:${name}`, value]);
    const request = {
      client_protocol: PROTOCOL_VERSION,
      configuration: { ...AT_ONCE, ...(Object.fromEntries(ofSpark) as Record<string, string>) },
    };
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
    // The error also contains the HTTP response and the password.
    const { message, code, statusCode } = error;
    lifeline.cut(Object.assign(new Error(message), { code, statusCode }));
  });
  return client;
}

/** The generated Thrift types of hive-driver, which it does not declare. */
interface ThriftOfHive {
  readonly TCLIService: object;
  readonly TCLIService_types: ConstructorParameters<typeof hive.HiveClient>[1];
}

/** The authorities of Node and of a bundle; undefined if there is no bundle. */
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

/** Ends every wait for a response when the connection is lost: hive-driver would wait forever. */
class Lifeline {
  readonly #lost: Promise<never>;
  #reject: (error: Error) => void = () => undefined;

  constructor() {
    this.#lost = new Promise((_, reject) => {
      this.#reject = reject;
    });
    // Each waiting caller receives the error.
    this.#lost.catch(() => undefined);
  }

  /** Ends every current and future wait with this error or an earlier one. */
  cut(error: Error): void {
    this.#reject(error);
  }

  /** Waits for a response, until the connection is lost or the server was silent for so long. */
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

/** The way from a client to a server. */
interface Transport {
  /** The arguments for hive-driver's connect. */
  readonly connectWith: ConnectArguments;
  /** Closes everything that it has opened. */
  readonly release: () => void;
}

/** For a server without passwords: SASL does not allow an empty one. */
const NO_PASSWORD = "none";
const KEEP_ALIVE_MILLISECONDS = 30_000;
/** The first byte from a server that expects TLS. */
const TLS_ALERT = 0x15;

function transportTo(settings: SparkSettings, means: Means, lifeline: Lifeline): Promise<Transport> {
  return settings.httpPath === undefined
    ? overTcp(settings, means, lifeline)
    : Promise.resolve(overHttp(settings, settings.httpPath, means));
}

async function overTcp(
  { host, port, tls, kerberos, ...account }: SparkSettings,
  { hive, authorities }: Means,
  lifeline: Lifeline,
): Promise<Transport> {
  const { auth, connections } = hive;
  let socket: Socket | undefined;
  const login =
    kerberos === undefined
      ? new auth.PlainTcpAuthentication(accountOf(account))
      : await kerberosLogin(kerberos, hive);
  const watched: Pick<typeof login, "authenticate"> = {
    authenticate: (transport) => {
      const connect = transport.connect.bind(transport) as () => void;
      transport.connect = () => {
        connect();
        socket = transport.getTransport() as Socket;
        watch(socket, lifeline);
      };
      return login.authenticate(transport);
    },
  };
  // hive-driver would trust any server, and its TLS method does not allow a choice of version.
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

/** Also what a Spark master does with a client of HiveServer2. */
const CLOSED_UNHEARD =
  "the server closed the connection without an answer. " +
  "ENGINE must name the Thrift Server, usually at port 10000, and not the master";

/** Cuts the lifeline when the connection ends. */
function watch(socket: Socket, lifeline: Lifeline): void {
  socket.setKeepAlive(true, KEEP_ALIVE_MILLISECONDS);
  socket.on("error", (error) => {
    lifeline.cut(error);
  });
  socket.on("close", () => {
    const message = socket.bytesRead > 0 ? "the server closed the connection" : CLOSED_UNHEARD;
    lifeline.cut(withCode(message, "ECONNRESET"));
  });
  socket.prependOnceListener("data", (data: Buffer) => {
    if (data[0] === TLS_ALERT) lifeline.cut(withCode("the server accepts only TLS", "ERR_TLS_REQUIRED"));
  });
}

function overHttp(
  { host, port, tls, ...settings }: SparkSettings,
  path: string,
  { hive: { auth, connections }, authorities }: Means,
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
