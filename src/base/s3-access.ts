/** Keys of S3. None of them may reach a message, a log or a record. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The engine's access to files on S3. */
export interface S3Access {
  /** The URLs that the keys are for, for example `s3://bucket/prefix`. */
  readonly scopes: readonly string[];
  /** `http://127.0.0.1:9000`; undefined for AWS. */
  readonly endpoint: string | undefined;
  readonly urlStyle: S3UrlStyle;
  readonly region: string;
  /** The certificate authorities to trust, as PEM. */
  readonly authorities: string;
  /** The current keys: those of a role are renewed before they expire. */
  credentials(): Promise<S3Credentials>;
}

/** Whether the bucket is in the path of a URL or in its host name. */
export type S3UrlStyle = "path" | "vhost";

/** Whether an address is on S3, and not a folder. */
export function isOnS3(location: string): boolean {
  return location.startsWith("s3://");
}

/** Whether the connection to S3 is encrypted. */
export function usesTls({ endpoint }: Pick<S3Access, "endpoint">): boolean {
  return endpoint?.startsWith("http://") !== true;
}
