import type * as hive from "hive-driver";
import type * as gssapi from "kerberos";
import { messageOf, PipelineError } from "../../base/errors.js";
import type { KerberosService } from "../../settings/spark-address.js";
import { optionalPackage } from "./optional-packages.js";

type Login = InstanceType<typeof hive.auth.KerberosTcpAuthentication>;
type LoginProcess = ConstructorParameters<typeof hive.auth.KerberosTcpAuthentication>[1];
type Done<Result> = (error: unknown, result?: Result) => void;

/**
 * A login with the ticket that `kinit` has got, by SASL's mechanism GSSAPI.
 * @throws PipelineError ENGINE_NOT_USABLE if the package for Kerberos is not installed.
 */
export async function kerberosLogin(service: KerberosService, { auth }: typeof hive): Promise<Login> {
  const kerberos = await optionalPackage("kerberos", () => import("kerberos"));
  // The ticket names the user.
  const nobody = { username: "", password: "" };
  return new auth.KerberosTcpAuthentication(nobody, new TicketProcess(kerberos, service));
}

/**
 * The steps of a login. hive-driver's own process names its user to the server without the realm, and the server
 * refuses that.
 */
class TicketProcess implements LoginProcess {
  readonly #kerberos: typeof gssapi;
  readonly #server: string;
  #client: gssapi.KerberosClient | undefined;

  constructor(kerberos: typeof gssapi, { service, host }: KerberosService) {
    this.#kerberos = kerberos;
    this.#server = `${service}@${host}`;
  }

  init(_options: unknown, done: Done<gssapi.KerberosClient>): void {
    this.#answer(this.#begin(), done);
  }

  transition(token: string, done: Done<string>): void {
    this.#answer(this.#next(token), done);
  }

  /** Kerberos proves who the two sides are. Only TLS protects what they say. */
  getQOP(): number {
    return 1;
  }

  async #begin(): Promise<gssapi.KerberosClient> {
    const { initializeClient, GSS_MECH_OID_KRB5: mechOID } = this.#kerberos;
    this.#client = await initializeClient(this.#server, { mechOID });
    return this.#client;
  }

  /** First the two sides prove who they are. Then the server offers kinds of protection. */
  async #next(token: string): Promise<string> {
    const client = this.#client ?? (await this.#begin());
    if (!client.contextComplete) return client.step(token);
    const offered = await client.unwrap(token);
    return client.wrap(offered, { user: client.username });
  }

  #answer<Result>(work: Promise<Result>, done: Done<Result>): void {
    work.then(
      (result) => {
        done(null, result);
      },
      (error: unknown) => {
        done(kerberosError(this.#server, error));
      },
    );
  }
}

/** The fault of a login, from the text of the Kerberos library: there is no ticket, or its KDC does not answer. */
function kerberosError(server: string, error: unknown): PipelineError {
  const said = messageOf(error).replace(
    "Unspecified GSS failure.  Minor code may provide more information: ",
    "",
  );
  return /cannot contact any KDC/i.test(said)
    ? new PipelineError(
        "ENGINE_UNAVAILABLE",
        `Kerberos is not reachable: ${said}; run again, or check krb5.conf`,
        {
          cause: error,
        },
      )
    : new PipelineError(
        "ENGINE_NOT_USABLE",
        `Kerberos gives no ticket for ${server}: ${said}; run kinit, and check principal in ENGINE`,
        { cause: error },
      );
}
