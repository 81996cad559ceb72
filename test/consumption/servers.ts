import type { Connection, RowDataPacket } from "mysql2/promise";
import { TEST_DATABASES } from "../place.js";

type Server = keyof typeof TEST_DATABASES;

/** Makes a database, and gives the URL for it of the account that owns the server. */
export async function makeDatabase(server: Server, name: string): Promise<string> {
  // The server's own character set is not for the pipeline to rely on.
  await asking(adminUrl(server), (connection) =>
    connection.query(`CREATE DATABASE \`${name}\` CHARACTER SET latin1`),
  );
  return new URL(name, adminUrl(server)).href;
}

/**
 * Copies the tables of a database into another one of the same server.
 * @param url of an account that may do so.
 */
export function copyDatabase(url: string, from: string, to: string): Promise<void> {
  return asking(url, async (connection) => {
    const [tables] = await connection.query<RowDataPacket[]>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '${from}'`,
    );
    for (const { name } of tables as { name: string }[]) {
      await connection.query(`CREATE TABLE \`${to}\`.\`${name}\` LIKE \`${from}\`.\`${name}\``);
      await connection.query(`INSERT INTO \`${to}\`.\`${name}\` SELECT * FROM \`${from}\`.\`${name}\``);
    }
  });
}

export async function dropDatabase(server: Server, name: string): Promise<void> {
  await asking(adminUrl(server), (connection) => connection.query(`DROP DATABASE \`${name}\``));
}

/** Says one statement to a database, and gives the rows that come back. */
export function askMysql(url: string, sql: string): Promise<unknown[]> {
  return asking(url, async (connection) => {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return Array.isArray(rows) ? rows.map((row) => ({ ...row })) : [];
  });
}

export function adminUrl(server: Server): string {
  const url = TEST_DATABASES[server];
  if (url === undefined) throw new Error(`TEST_${server.toUpperCase()}_URL names no server`);
  return url;
}

async function asking<Result>(
  url: string,
  ask: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  // Most files of tests know SQLite only, and would load the client for nothing.
  const { createConnection } = await import("mysql2/promise");
  const connection = await createConnection({ uri: url, dateStrings: true });
  try {
    return await ask(connection);
  } finally {
    await connection.end();
  }
}
