import type { S3Credentials, Server } from "../services/servers.mjs";

/** The S3 that a Spark reads and writes. */
export interface S3OfSpark {
  readonly endpoint: string;
  readonly credentials: S3Credentials;
}

export interface ThriftServerOptions {
  /** Holds everything the server writes. Made where it is not there. */
  readonly directory: string;
  readonly s3: S3OfSpark;
  /** The master of a cluster, as `spark://127.0.0.1:20000`; unless given, the server computes by itself, on one core. */
  readonly master?: string;
  /** A free one unless given. */
  readonly port?: number;
  /** Further settings of Spark, as `spark.sql.shuffle.partitions`. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Further settings of HiveServer2, as `hive.server2.use.SSL`. */
  readonly hive?: Readonly<Record<string, string>>;
  /** Folders with Java classes that these settings name. */
  readonly classes?: readonly string[];
  /** How the server and its executors compile: as usual, or without optimising, as in tests; the latter unless given. */
  readonly jit?: "normal" | "small";
}

/** A Spark that speaks HiveServer2's protocol on a port of 127.0.0.1. */
export interface ThriftServer extends ThriftServerOptions, Pick<Server<never>, "pid" | "log" | "stop"> {
  readonly port: number;
  /** The port that its executors know it by. */
  readonly driverPort: number;
}

/** Resolves when the server answers, and rejects with the end of its log when it does not come up. */
export function startThriftServer(options: ThriftServerOptions): Promise<ThriftServer>;

/** A master, two workers and a server in front of them, which all end with it. */
export function startCluster(
  options: Pick<ThriftServerOptions, "directory" | "s3" | "jit">,
): Promise<ThriftServer & { readonly master: string }>;

/** The ids of the processes that compute for the server with this port for executors; none where it computes by itself. */
export function executorsOf(driverPort: number): Promise<number[]>;

/** Compiles a Java file that may use Spark's classes, and gives the folder of its classes. */
export function compileJava(source: string, directory: string): Promise<string>;
