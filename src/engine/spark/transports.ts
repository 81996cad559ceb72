import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type * as hive from "hive-driver";
import type { SparkSettings } from "../../settings/settings.js";
import type { Lifeline } from "./lifeline.js";

type Hive = typeof hive;
type ConnectArguments = Parameters<hive.HiveClient["connect"]>;

/** How a client gets to a server. */
export interface Transport {
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
export function transportTo(
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
    lifeline.cut(withCode("the server has closed the connection", "ECONNRESET"));
  });
  socket.prependOnceListener("data", (data: Buffer) => {
    if (data[0] === TLS_ALERT) lifeline.cut(withCode("the server speaks TLS only", "ERR_TLS_REQUIRED"));
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
