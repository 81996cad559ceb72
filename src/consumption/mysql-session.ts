import { PipelineError } from "../base/errors.js";

/** Runs a statement of a connection, and gives the rows that it returns. */
type Say = (statement: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** A variable of a session, by the names that each server has for it. */
interface Variable {
  readonly MySQL: string | undefined;
  readonly MariaDB: string | undefined;
  readonly value: string | number;
}

const both = (name: string, value: string | number): Variable => ({ MySQL: name, MariaDB: name, value });

/** What this pipeline relies on, whatever a server, an `init_connect` or a proxy says. The values of sql_mode are in their order. */
const VARIABLES: readonly Variable[] = [
  both("autocommit", 1),
  // A commit ends the transaction, and neither begins another nor ends the connection.
  both("completion_type", "NO_CHAIN"),
  { MySQL: "transaction_isolation", MariaDB: "tx_isolation", value: "REPEATABLE-READ" },
  { MySQL: "transaction_read_only", MariaDB: "tx_read_only", value: 0 },
  both("character_set_client", "utf8mb4"),
  both("character_set_results", "utf8mb4"),
  both("collation_connection", "utf8mb4_bin"),
  // Values are never cut, rounded or taken for others, and a backslash is what the driver takes it for.
  both("sql_mode", "NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE,NO_ZERO_IN_DATE,STRICT_ALL_TABLES"),
  both("time_zone", "+00:00"),
  both("sql_safe_updates", 0),
  both("sql_auto_is_null", 0),
  both("sql_select_limit", "18446744073709551615"),
  both("unique_checks", 1),
  // Kysely makes its own tables, and names no engine.
  both("default_storage_engine", "InnoDB"),
  both("innodb_lock_wait_timeout", 10),
  both("lock_wait_timeout", 10),
  both("net_read_timeout", 60),
  both("net_write_timeout", 60),
  { MySQL: "max_execution_time", MariaDB: undefined, value: 0 },
  { MySQL: undefined, MariaDB: "max_statement_time", value: 0 },
];

/**
 * Sets everything that this pipeline relies on in a session, and checks that it holds: two statements.
 * @param database how messages name it.
 * @param idleSeconds after how long without a statement the server ends the connection, and with it its transaction and its locks;
 * undefined for as long as the server likes.
 * @throws PipelineError CONSUMPTION_NOT_USABLE if a variable has another value.
 */
export async function prepareSession(say: Say, database: string, idleSeconds?: number): Promise<void> {
  const variables = [...VARIABLES, ...(idleSeconds === undefined ? [] : [both("wait_timeout", idleSeconds)])];
  await say(`SET ${spelled(variables, (name, value) => `SESSION ${name} = ${literal(value)}`)}`);
  const [held = {}] = await say(
    `SELECT ${spelled(variables, (name) => `CAST(@@SESSION.${name} AS CHAR) AS ${name}`)}`,
  );
  const wrong = variables.flatMap(({ MySQL, MariaDB, value }) => {
    const found = held[MySQL ?? ""] ?? held[MariaDB ?? ""];
    // One of the two servers does not have it.
    if (found === undefined && (MySQL === undefined || MariaDB === undefined)) return [];
    return normal(found) === normal(value)
      ? []
      : [`${MySQL ?? MariaDB ?? ""} is ${String(found)} instead of ${String(value)}`];
  });
  if (wrong.length === 0) return;
  throw new PipelineError(
    "CONSUMPTION_NOT_USABLE",
    `the ${database} does not keep what a session sets: ${wrong.join("; ")}. ` +
      "Connect to the server itself instead of through a proxy, or correct the proxy",
  );
}

/** Each server reads what it knows: MariaDB skips comments of MySQL 8, and MySQL those that begin with M. */
function spelled(
  variables: readonly Variable[],
  write: (name: string, value: string | number) => string,
): string {
  const common = variables.flatMap(({ MySQL, MariaDB, value }) =>
    MySQL !== undefined && MySQL === MariaDB ? [write(MySQL, value)] : [],
  );
  const only = (server: "MySQL" | "MariaDB") =>
    variables
      .filter(({ MySQL, MariaDB }) => MySQL !== MariaDB)
      .flatMap(({ [server]: name, value }) => (name === undefined ? [] : [`, ${write(name, value)}`]))
      .join("");
  return `${common.join(", ")} /*!80000 ${only("MySQL")} */ /*M! ${only("MariaDB")} */`;
}

function literal(value: string | number): string {
  return typeof value === "number" || /^[0-9]+$/.test(value) ? String(value) : `'${value}'`;
}

/** Servers write modes in an order of their own, switches as numbers or words, and numbers with or without a fraction. */
function normal(value: unknown): string {
  const text = String(value).toUpperCase();
  if (text === "ON" || text === "OFF") return text === "ON" ? "1" : "0";
  return text.replace(/\.0+$/, "").split(",").sort().join(",");
}
