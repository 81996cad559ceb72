import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "mysql2";
import { messageOf, PipelineError } from "../base/errors.js";

const DEFAULT_PORT = 3306;

/** How strictly a connection is encrypted, in the words of MySQL's own clients. */
const SSL_MODES: Record<string, { verifyAuthority: boolean; verifyIdentity: boolean } | undefined> = {
  DISABLED: undefined,
  REQUIRED: { verifyAuthority: false, verifyIdentity: false },
  VERIFY_CA: { verifyAuthority: true, verifyIdentity: false },
  VERIFY_IDENTITY: { verifyAuthority: true, verifyIdentity: true },
};

/** The address of a database, and its credentials. */
export interface MysqlAddress {
  readonly database: string;
  /** How messages name it, without user and password. */
  readonly name: string;
  readonly options: ConnectionOptions;
}

/**
 * Reads `mysql://user:password@host:port/database?ssl-mode=VERIFY_IDENTITY&ssl-ca=ca.pem`. User and password
 * percent-encode the characters that have a meaning in a URL.
 * @throws PipelineError INVALID_SETTINGS, without the URL: it holds a password.
 */
export function readMysqlUrl(url: string): MysqlAddress {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const database = decoded(pathname.slice(1));
  const numericPort = port === "" ? DEFAULT_PORT : Number(port);
  return {
    database,
    name: `MySQL database ${database} at ${host}:${numericPort.toString()}`,
    options: {
      host,
      port: numericPort,
      user: decoded(username),
      password: decoded(password),
      database,
      ...sslOptions(searchParams),
    },
  };
}

function sslOptions(parameters: URLSearchParams): Pick<ConnectionOptions, "ssl"> {
  const unknown = [...parameters.keys()].find((name) => !["ssl-mode", "ssl-ca"].includes(name));
  if (unknown !== undefined) throw wrong(`has the unknown parameter ${unknown}; known: ssl-mode, ssl-ca`);
  const mode = (parameters.get("ssl-mode") ?? "DISABLED").toUpperCase();
  if (!Object.hasOwn(SSL_MODES, mode))
    throw wrong(`has an invalid ssl-mode; use one of ${Object.keys(SSL_MODES).join(", ")}`);
  const checks = SSL_MODES[mode];
  const file = parameters.get("ssl-ca");
  if (checks === undefined) {
    if (file !== null) throw wrong("has an ssl-ca, which needs an ssl-mode");
    return {};
  }
  return {
    ssl: {
      rejectUnauthorized: checks.verifyAuthority,
      verifyIdentity: checks.verifyIdentity,
      ...(file === null ? {} : { ca: authority(file) }),
    },
  };
}

function authority(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw wrong(`has an unreadable ssl-ca: ${messageOf(error)}`);
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw wrong("has a % without two hex digits; write % as %25");
  }
}

function wrong(what: string): PipelineError {
  return new PipelineError("INVALID_SETTINGS", `CONSUMPTION_URL ${what}`);
}
