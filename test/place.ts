/** Where zones and database of a test are. */
export type Place = `${"local" | "minio"}+${"sqlite" | "mysql" | "mariadb"}`;

/** A MinIO, or another S3, that the environment names. */
export interface TestS3 {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const { TEST_PLACE } = globalThis as { TEST_PLACE?: Place };

/** The place of the tests of this file: those in test/end-to-end run once for each, see jest.config.mjs. */
export const PLACE: Place = TEST_PLACE ?? "local+sqlite";

export const TEST_S3: TestS3 | undefined = readTestS3();

/** Servers on which a test may make and drop databases, as `mysql://user:password@host:port/`. */
export const TEST_DATABASES = {
  mysql: process.env["TEST_MYSQL_URL"],
  mariadb: process.env["TEST_MARIADB_URL"],
};

function readTestS3(): TestS3 | undefined {
  const { TEST_S3_ENDPOINT: endpoint, TEST_S3_ACCESS_KEY_ID: accessKeyId } = process.env;
  const { TEST_S3_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  if (endpoint === undefined || accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { endpoint, accessKeyId, secretAccessKey };
}
