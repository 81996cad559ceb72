/** The folder that `install.sh` installs into. */
export function servicesDirectory(): string;

/** A stopped server can be passed as it is, to start it again with the same data, on the same port. */
export interface StartOptions<Credentials> {
  /** Holds everything the server writes. Made where it is not there; data that is there is kept. */
  readonly directory: string;
  /** A free one unless given. */
  readonly port?: number;
  /** Random unless given; from then on the only ones that the server takes. */
  readonly credentials?: Credentials;
}

export interface Server<Credentials> extends Required<StartOptions<Credentials>> {
  readonly pid: number;
  /** Where the server writes its log. */
  readonly log: string;
  /** Resolves when the process has ended; at once where it has ended before. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface MinioServer extends Server<S3Credentials> {
  /** As in `http://127.0.0.1:20000`. */
  readonly endpoint: string;
}

export type S3Server = MinioServer;

export interface SqlCredentials {
  readonly user: "root";
  /** Letters and digits only, so that it needs no quoting. */
  readonly password: string;
}

export interface SqlStartOptions extends StartOptions<SqlCredentials> {
  /** Options of the server, such as `--autocommit=0`; none unless given. */
  readonly settings?: readonly string[];
}

export interface SqlServer extends Server<SqlCredentials> {
  readonly settings: readonly string[];
  /** As in `mysql://root:PASSWORD@127.0.0.1:20000/`; the account may make databases and users. */
  readonly url: string;
}

/** Each resolves when the server answers, and rejects with the end of its log when it does not come up. */
export function startMinio(options: StartOptions<S3Credentials>): Promise<MinioServer>;
export function startSeaweedFs(options: StartOptions<S3Credentials>): Promise<S3Server>;
/** It keeps everything in memory, and takes any credentials. */
export function startMoto(options: StartOptions<S3Credentials>): Promise<S3Server>;
/** It has credentials of its own. It answers lists like old servers: it does not encode keys, and cannot list uploads. */
export function startS3rver(options: Omit<StartOptions<never>, "credentials">): Promise<S3Server>;
/**
 * A proxy.
 * @param options.listen the rest of `listen`, for example `ssl`; nothing by default.
 * @param options.site what else its server block says, in the words of nginx.
 */
export function startNginx(
  options: Omit<StartOptions<never>, "credentials"> & { readonly listen?: string; readonly site: string },
): Promise<Omit<MinioServer, "credentials">>;
export function startMysql(options: SqlStartOptions): Promise<SqlServer>;
export function startMariadb(options: SqlStartOptions): Promise<SqlServer>;

/** What any server is started with. */
export interface Program {
  readonly directory: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Asked again and again until it is so. */
  readonly isReady: () => Promise<boolean>;
  /** How long that may take; a minute unless given. */
  readonly limitMs?: number;
}

export function startServer(program: Program): Promise<Pick<Server<never>, "pid" | "log" | "stop">>;

/** A port of this machine that nobody listens on, not given to anyone else. */
export function freePort(): Promise<number>;
