import type { Server } from "../services/servers.mjs";

/** A KDC with one realm, to which `localhost` belongs. */
export interface Kdc extends Pick<Server<never>, "pid" | "log" | "stop"> {
  /** The krb5.conf that leads to it. */
  readonly config: string;
  readonly realm: string;
  /** Adds a principal, such as `hive/localhost`, and gives the file with its key. */
  keytabOf(principal: string): string;
  /** Logs in a principal as kinit does, and gives the file with its ticket. */
  ticketOf(principal: string, keytab: string): string;
}

/** @param options.directory holds everything that it writes. */
export function startKdc(options: { readonly directory: string }): Promise<Kdc>;
