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
  /** The server's name in Kerberos; undefined if the user and the password count. */
  readonly kerberos: KerberosService | undefined;
}

/** A server in Kerberos, without its realm: the settings of Kerberos map a host to its realm. */
export interface KerberosService {
  /** The first part of its principal: `hive`. */
  readonly service: string;
  /** The second part of its principal: a host name. */
  readonly host: string;
}

const DEFAULT_USER = "pipeline";
/** The default HTTP path of servers. */
const DEFAULT_HTTP_PATH = "cliservice";
/** The most usual name of a Thrift Server in Kerberos. */
const DEFAULT_SERVICE = "hive";
const PARAMETERS = ["tls", "transport", "path", "auth", "principal"];
/** The port of a Spark master. Its scheme is `spark://`, too. */
const MASTER_PORT = 7077;

/** Whether a value of ENGINE names a Spark, by its scheme. */
export function isSparkUrl(url: string): boolean {
  return /^(spark|hive2):\/\//.test(url);
}

/**
 * Reads `spark://[user[:password]@]host:port[?tls=true][&transport=http&path=cliservice][&auth=kerberos&principal=…]`,
 * or the same with `hive2://`. User and password percent-encode the characters that have a meaning in a URL.
 * @returns the address, or a text with the fault. It never contains the URL, which may contain a password.
 */
export function readSparkUrl(url: string): SparkAddress | string {
  const form =
    "must be duckdb, spark://host:port or hive2://host:port, with user:password@ before the host if it asks for them; " +
    "write @ / # ? and % in them as %40 %2F %23 %3F and %25";
  if (url.startsWith("jdbc:")) return `${form}; it has the form of JDBC, whose options have other names here`;
  if (isListOfMasters(url)) return notAMaster("host");
  if (!isSparkUrl(url) || !URL.canParse(url)) return form;
  const { protocol, hostname, port, username, password, pathname, searchParams, hash } = new URL(url);
  if (
    !/^([\w.-]+|\[.*\])$/.test(hostname) ||
    ["", "0"].includes(port) ||
    !["", "/"].includes(pathname) ||
    hash !== ""
  )
    return form;
  if (protocol === "spark:" && Number(port) === MASTER_PORT) return notAMaster(hostname);
  const names = [...searchParams.keys()];
  const unknown = names.find((name) => !PARAMETERS.includes(name));
  // A password with a ? that is not encoded ends up in the name of a parameter.
  if (names.some((name) => !/^[a-z]+$/i.test(name))) return form;
  if (unknown !== undefined) return `has the unknown parameter ${unknown}; known: ${PARAMETERS.join(", ")}`;
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) return `has the parameter ${repeated} twice`;
  const { tls = "false", transport = "tcp", path, auth, principal } = Object.fromEntries(searchParams);
  if (!["true", "false"].includes(tls)) return "has an invalid tls; use true or false";
  if (!["tcp", "http"].includes(transport)) return "has an invalid transport; use tcp or http";
  if (path !== undefined && transport !== "http") return "has a path, which needs transport=http";
  const account = decoded([username, password]);
  if (account === undefined) return "has a % that does not encode a character; write % as %25";
  const [user = "", secret = ""] = account;
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const kerberos = readKerberos({ auth, principal, host });
  if (typeof kerberos === "string") return kerberos;
  if (kerberos !== undefined && transport === "http") return "has auth=kerberos, which needs transport=tcp";
  if (kerberos !== undefined && user + secret !== "")
    return "has a user or a password, but auth=kerberos uses the ticket of kinit; remove them";
  return {
    host,
    port: Number(port),
    user: user === "" ? DEFAULT_USER : user,
    password: secret === "" ? undefined : secret,
    tls: tls === "true",
    httpPath: transport === "http" ? (path ?? DEFAULT_HTTP_PATH) : undefined,
    kerberos,
  };
}

/** `spark://a:7077,b:7077` names the masters of a cluster, one of which leads. */
function isListOfMasters(url: string): boolean {
  return new RegExp(`^spark://[^/?#@]*:${MASTER_PORT.toString()},`).test(url);
}

function notAMaster(host: string): string {
  return (
    `names port ${MASTER_PORT.toString()}, which is a Spark master's; the pipeline connects to the Thrift Server ` +
    `of the cluster (sbin/start-thriftserver.sh), usually at port 10000: write spark://${host}:10000. ` +
    `If the Thrift Server does listen at ${MASTER_PORT.toString()}, write hive2:// for spark://`
  );
}

/** The server's name in Kerberos, undefined without Kerberos, or a text with the fault. */
function readKerberos({
  auth,
  principal,
  host,
}: {
  readonly auth: string | undefined;
  readonly principal: string | undefined;
  readonly host: string;
}): KerberosService | string | undefined {
  if (![undefined, "password", "kerberos"].includes(auth))
    return "has an invalid auth; use password or kerberos";
  if (auth !== "kerberos")
    return principal === undefined ? undefined : "has a principal, which needs auth=kerberos";
  if (principal?.includes("@") === true)
    return "has a principal with a realm; leave it out: krb5.conf maps the host to its realm (domain_realm)";
  const [, service, named] = /^([^/]+)(?:\/([^/]+))?$/.exec(principal ?? DEFAULT_SERVICE) ?? [];
  if (service === undefined) return "has an invalid principal; use for example hive/spark.example.org";
  return { service, host: named === undefined || named === "_HOST" ? host : named };
}

function decoded(parts: readonly string[]): string[] | undefined {
  try {
    return parts.map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
