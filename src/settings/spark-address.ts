/** The address of a Spark server (HiveServer2 protocol), and its credentials. */
export interface SparkAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  /** Whether the connection is encrypted. */
  readonly tls: boolean;
  /** The HTTP path of the server; undefined if it uses its protocol over TCP. */
  readonly httpPath: string | undefined;
}

const DEFAULT_USER = "pipeline";
/** The default HTTP path of servers. */
const DEFAULT_HTTP_PATH = "cliservice";
const PARAMETERS = ["tls", "transport", "path"];

/**
 * Reads `spark://[user[:password]@]host:port[?tls=true][&transport=http&path=cliservice]`. User and password
 * percent-encode the characters that have a meaning in a URL.
 * @returns the address, or a text with the fault. It never contains the URL, which may contain a password.
 */
export function readSparkUrl(url: string): SparkAddress | string {
  const form = "must be duckdb or spark://user:password@host:port";
  if (!url.startsWith("spark://") || !URL.canParse(url)) return form;
  const { hostname, port, username, password, pathname, searchParams, hash } = new URL(url);
  if (hostname === "" || port === "" || !["", "/"].includes(pathname) || hash !== "") return form;
  const unknown = [...searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) return `has the unknown parameter ${unknown}; known: ${PARAMETERS.join(", ")}`;
  const { tls = "false", transport = "tcp", path } = Object.fromEntries(searchParams);
  if (!["true", "false"].includes(tls)) return "has an invalid tls; use true or false";
  if (!["tcp", "http"].includes(transport)) return "has an invalid transport; use tcp or http";
  if (path !== undefined && transport !== "http") return "has a path, which needs transport=http";
  const account = decoded([username, password]);
  if (account === undefined) return "has a % without two hex digits; write % as %25";
  const [user = "", secret = ""] = account;
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port),
    user: user === "" ? DEFAULT_USER : user,
    password: secret === "" ? undefined : secret,
    tls: tls === "true",
    httpPath: transport === "http" ? (path ?? DEFAULT_HTTP_PATH) : undefined,
  };
}

function decoded(parts: readonly string[]): string[] | undefined {
  try {
    return parts.map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
