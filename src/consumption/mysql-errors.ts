import { messageOf, PipelineError, systemCodeOf, type FaultCode } from "../base/errors.js";

/** The connection is gone, or the server is going; the next one may be better. */
const LOST = [
  "PROTOCOL_CONNECTION_LOST",
  "PROTOCOL_SEQUENCE_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
  "ER_SERVER_SHUTDOWN",
  "ER_NORMAL_SHUTDOWN",
  "ER_CONNECTION_KILLED",
  "ER_CLIENT_INTERACTION_TIMEOUT",
];
/** The server has ended a transaction in favour of another one. */
const CONTENDED = ["ER_LOCK_DEADLOCK", "ER_LOCK_WAIT_TIMEOUT", "ER_CHECKREAD"];
/** What passes without anyone changing a setting, and not within seconds. */
const PASSING = [
  "ENOTFOUND",
  "ER_CON_COUNT_ERROR",
  "ER_TOO_MANY_USER_CONNECTIONS",
  "ER_OPTION_PREVENTS_STATEMENT",
  "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION",
  "ER_OUT_OF_RESOURCES",
  "ER_OUTOFMEMORY",
];
const FULL = ["ER_DISK_FULL", "ER_RECORD_FILE_FULL", "ER_DISK_FULL_NOWAIT"];
/** mysql2 says so, without a code, of a command that finds its connection closed, and where too many wait for one. */
const CLOSED = /connection is in closed state|Connection lost|Queue limit reached/;
const TLS =
  /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|EPROTO|HANDSHAKE_)/;

/** Whether the same work can be done by trying once more. */
export function isPassing(error: unknown): boolean {
  return isLost(error) || isContended(error);
}

/** Whether another transaction was in the way. */
export function isContended(error: unknown): boolean {
  return CONTENDED.includes(systemCodeOf(error) ?? "");
}

/** A fault of MySQL in the words of the person who runs the pipeline; anything else comes back as it is. */
export function translateMysqlError(name: string, error: unknown): unknown {
  if (error instanceof PipelineError) return error;
  const code = systemCodeOf(error) ?? "";
  const faultOf = (faultCode: FaultCode, what: string) =>
    new PipelineError(faultCode, `the ${name} ${what}`, { cause: error });
  if (isLost(error) || PASSING.includes(code)) {
    return faultOf(
      "CONSUMPTION_UNAVAILABLE",
      `cannot be reached: ${saidBy(error)}; run again, or check CONSUMPTION_URL`,
    );
  }
  if (CONTENDED.includes(code)) {
    return faultOf("CONSUMPTION_UNAVAILABLE", `is busy with other writers: ${saidBy(error)}; run again`);
  }
  if (FULL.includes(code))
    return faultOf("STORAGE_FULL", `is full: ${saidBy(error)}; free some space and run again`);
  if (code === "ER_BAD_DB_ERROR") {
    return faultOf("CONSUMPTION_NOT_USABLE", "is not there: create it, or correct CONSUMPTION_URL");
  }
  if (code === "ER_NET_PACKET_TOO_LARGE") {
    return faultOf(
      "CONSUMPTION_NOT_USABLE",
      `takes only short statements: ${saidBy(error)}; set max_allowed_packet of the server to 16 MiB or more`,
    );
  }
  if (code === "ER_SECURE_TRANSPORT_REQUIRED") {
    return faultOf(
      "CONSUMPTION_NOT_USABLE",
      "takes encrypted connections only: add ?ssl-mode=REQUIRED to CONSUMPTION_URL, or " +
        "?ssl-mode=VERIFY_IDENTITY, which also checks the server's certificate",
    );
  }
  if (TLS.test(code)) {
    return faultOf(
      "CONSUMPTION_NOT_USABLE",
      `refuses TLS: ${saidBy(error)}; check ssl-mode and ssl-ca in CONSUMPTION_URL`,
    );
  }
  if (code === "ER_ACCESS_DENIED_ERROR") {
    // MariaDB says no more of a connection, and both no more of a user, that must be encrypted.
    return faultOf(
      "CONSUMPTION_NOT_USABLE",
      `cannot be used: ${saidBy(error)}; check user and password in CONSUMPTION_URL, and add ?ssl-mode=REQUIRED ` +
        "if the server or the user takes encrypted connections only",
    );
  }
  // Whatever else the server refuses: a user, a password, a right, a table that is not as this pipeline makes it.
  if (code.startsWith("ER_")) {
    return faultOf(
      "CONSUMPTION_NOT_USABLE",
      `cannot be used: ${saidBy(error)}; check CONSUMPTION_URL and the rights of its user`,
    );
  }
  return error;
}

function isLost(error: unknown): boolean {
  return LOST.includes(systemCodeOf(error) ?? "") || CLOSED.test(messageOf(error));
}

/** Several addresses that all refuse are one error without a message of its own. */
function saidBy(error: unknown): string {
  return messageOf(error) === "" ? (systemCodeOf(error) ?? "no answer") : messageOf(error);
}
