import path from "node:path";
import { readMysqlUrl } from "./mysql-address.js";

/** A database as others name it, without user and password. */
export interface DataSource {
  /** `mysql://host:3306`, or `sqlite:///lake/consumption.db`. */
  readonly uri: string;
  /** What stands before the name of a table: the database of a server. */
  readonly database: string | undefined;
}

/** Where the consumption database is. */
export function dataSourceOf(consumptionUrl: string): DataSource {
  if (!consumptionUrl.startsWith("mysql://")) {
    const file = path.resolve(consumptionUrl.slice("sqlite:".length));
    return { uri: `sqlite://${file}`, database: undefined };
  }
  const { database, options } = readMysqlUrl(consumptionUrl);
  return { uri: `mysql://${options.host ?? ""}:${(options.port ?? 0).toString()}`, database };
}
