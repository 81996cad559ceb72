import { createConnection } from "mysql2/promise";

/** A database of the benchmark's own, on the server of an address as `mysql://root:password@127.0.0.1:3306/`. */
export async function createMysqlDatabase(serverUrl) {
  const name = `bench_api_${process.pid}`;
  await execute(serverUrl, `CREATE DATABASE ${name}`);
  return {
    url: new URL(name, serverUrl).href,
    drop: () => execute(serverUrl, `DROP DATABASE ${name}`),
  };
}

async function execute(url, statement) {
  const connection = await createConnection(url);
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}
