import type { DuckDBConnection } from "@duckdb/node-api";

/** Lends connections, each to one statement at a time; who finds none waits in line. */
export class ConnectionPool {
  readonly #idle: DuckDBConnection[];
  readonly #busy = new Set<DuckDBConnection>();
  readonly #waiting: ((connection: DuckDBConnection) => void)[] = [];

  constructor(connections: readonly DuckDBConnection[]) {
    this.#idle = [...connections];
  }

  /** The connections that run a statement. */
  get busy(): readonly DuckDBConnection[] {
    return [...this.#busy];
  }

  async lend<Result>(use: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.take();
    try {
      return await use(connection);
    } finally {
      this.giveBack(connection);
    }
  }

  /** A connection for the caller alone, until it is given back. */
  async take(): Promise<DuckDBConnection> {
    const connection =
      this.#idle.pop() ?? (await new Promise<DuckDBConnection>((take) => this.#waiting.push(take)));
    this.#busy.add(connection);
    return connection;
  }

  giveBack(connection: DuckDBConnection): void {
    this.#busy.delete(connection);
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(connection);
    else next(connection);
  }

  /** Closes all connections. None may be lent. */
  close(): void {
    for (const connection of this.#idle) connection.closeSync();
  }
}
