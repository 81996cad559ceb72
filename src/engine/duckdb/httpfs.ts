import { writeFile } from "node:fs/promises";
import path from "node:path";
import { DuckDBInstance, version, type DuckDBConnection } from "@duckdb/node-api";
import { messageOf, PipelineError } from "../../base/errors.js";
import { usesTls, type S3Access, type S3Credentials } from "../../base/s3-access.js";
import type { DuckDbSettings } from "../../settings/settings.js";
import { identifier, literal } from "../../sql-text/literal.js";
import { textOf, type Row } from "../builder.js";

/** The place of the extension, and its source. */
type ExtensionSettings = Pick<DuckDbSettings, "extensionDirectory" | "extensionRepository">;

interface OpenSettings extends ExtensionSettings {
  /** Whether a missing extension is installed. */
  readonly installs: boolean;
  /** The folder for the TLS authorities; undefined if there is no TLS. */
  readonly folder: string | undefined;
}

/** A session that can read and write on S3. */
export interface S3Session {
  /** Gives DuckDB the current keys, if they have changed. */
  renewKeys(connection: DuckDBConnection): Promise<void>;
}

/**
 * Loads the extension for S3, and gives it the keys. This must come before the configuration is locked.
 * @throws PipelineError EXTENSION_MISSING if it is not on this machine and not available elsewhere.
 */
export async function openS3(
  connection: DuckDBConnection,
  access: S3Access,
  settings: OpenSettings,
): Promise<S3Session> {
  await loadExtension(connection, settings);
  for (const statement of configuration) await connection.run(statement);
  if (settings.folder !== undefined && usesTls(access)) {
    // The machine may have its own bundle of authorities, but DuckDB does not look there on every system.
    const bundle = path.join(settings.folder, "authorities.pem");
    await writeFile(bundle, access.authorities);
    await connection.run(`SET GLOBAL ca_cert_file = ${literal(bundle)}`);
  }
  let current: S3Credentials | undefined;
  const session: S3Session = {
    renewKeys: async (over) => {
      const credentials = await access.credentials();
      if (
        credentials.accessKeyId === current?.accessKeyId &&
        credentials.sessionToken === current.sessionToken
      )
        return;
      current = credentials;
      await createSecrets(over, access, credentials);
    },
  };
  await session.renewKeys(connection);
  return session;
}

/**
 * Installs the extension for sessions with the same settings. If it is already installed, nothing happens.
 * @returns the version of DuckDB that it is for.
 * @throws PipelineError EXTENSION_MISSING if it is not available.
 */
export async function installExtension(settings: ExtensionSettings): Promise<string> {
  const instance = await DuckDBInstance.create(":memory:", extensionOptions(settings));
  const connection = await instance.connect();
  try {
    await install(connection, settings);
    await load(connection);
    return version();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The options of an instance that looks for extensions in the folder of the settings. */
export function extensionOptions({ extensionDirectory }: ExtensionSettings): Record<string, string> {
  return extensionDirectory === undefined ? {} : { extension_directory: extensionDirectory };
}

async function loadExtension(connection: DuckDBConnection, settings: OpenSettings): Promise<void> {
  // A folder of the settings contains the extensions to use; nothing is downloaded into it.
  if (settings.extensionDirectory !== undefined || !settings.installs) return load(connection);
  try {
    await connection.run("LOAD httpfs");
  } catch {
    await install(connection, settings);
    await load(connection);
  }
}

async function install(
  connection: DuckDBConnection,
  { extensionRepository }: ExtensionSettings,
): Promise<void> {
  const from = extensionRepository === undefined ? "" : ` FROM ${literal(extensionRepository)}`;
  try {
    await connection.run(`INSTALL httpfs${from}`);
  } catch (error) {
    throw await missing(connection, error, "it cannot be installed");
  }
}

async function load(connection: DuckDBConnection): Promise<void> {
  try {
    await connection.run("LOAD httpfs");
  } catch (error) {
    throw await missing(connection, error, "it cannot be loaded");
  }
}

async function missing(connection: DuckDBConnection, error: unknown, what: string): Promise<PipelineError> {
  const [known] = (
    await connection.runAndReadAll(
      "SELECT platform, current_setting('extension_directory') AS folder FROM pragma_platform()",
    )
  ).getRowObjectsJson() as Row[];
  const folder = known === undefined ? "" : textOf(known, "folder");
  const place = `${version()}/${known === undefined ? "" : textOf(known, "platform")}/httpfs.duckdb_extension`;
  const reason = messageOf(error).split("\n", 1)[0] ?? "";
  return new PipelineError(
    "EXTENSION_MISSING",
    `a zone is on S3, which needs the DuckDB extension httpfs, but ${what}: ${reason}; ` +
      "run 'npx pipeline install-extension' once with internet access, or unpack " +
      `http://extensions.duckdb.org/${place}.gz to ${folder === "" ? "a folder" : folder}/${place} ` +
      "and set DUCKDB_EXTENSION_DIRECTORY to that folder",
    { cause: error },
  );
}

const configuration = [
  // The extension also reads them from the environment, into options that every query can read.
  ...["s3_access_key_id", "s3_secret_access_key", "s3_session_token"].map((key) => `SET GLOBAL ${key} = ''`),
  // A run with a proxy for S3 was already refused. This is for a proxy of plain HTTP, which DuckDB would also use for
  // HTTPS.
  "SET GLOBAL http_proxy = ''",
  // A key is a name, not a pattern: `?` begins no query, `[` no set of characters.
  "SET GLOBAL s3_url_compatibility_mode = true",
  // A service that restarts is available again within seconds: the retries come after 0.5, 1.5 and 4.5 s.
  "SET GLOBAL http_retries = 3",
  "SET GLOBAL http_retry_wait_ms = 500",
  "SET GLOBAL http_retry_backoff = 3",
  // A silent server delays a call for this long at every try, and no interrupt ends it earlier. A statement that
  // writes makes several calls before it gives up.
  "SET GLOBAL http_timeout = 10",
  // A file has up to ten thousand parts: this is the size of a part times that, and every current part is in memory.
  "SET GLOBAL s3_uploader_max_filesize = '100GB'",
];

async function createSecrets(
  connection: DuckDBConnection,
  access: S3Access,
  { accessKeyId, secretAccessKey, sessionToken }: S3Credentials,
): Promise<void> {
  const { endpoint, region, scopes, urlStyle } = access;
  const options: Record<string, string> = {
    KEY_ID: accessKeyId,
    SECRET: secretAccessKey,
    ...(sessionToken === undefined ? {} : { SESSION_TOKEN: sessionToken }),
    ...(endpoint === undefined ? {} : { ENDPOINT: new URL(endpoint).host }),
    REGION: region,
    URL_STYLE: urlStyle,
  };
  const names = Object.keys(options);
  const parameters = names.map((name, index) => `${name} $${(index + 1).toString()}`).join(", ");
  for (const [index, scope] of scopes.entries()) {
    const name = identifier(`zone_${index.toString()}`);
    // The keys are bound: no text of a statement, which an error may quote, ever has them.
    await connection.run(
      `CREATE OR REPLACE SECRET ${name} (TYPE s3, ${parameters}, USE_SSL ${String(usesTls(access))}, SCOPE ${literal(`${scope}/`)})`,
      Object.values(options),
    );
  }
}
