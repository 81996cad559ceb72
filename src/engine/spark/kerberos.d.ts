/** What the pipeline uses of the optional package `kerberos`, which is not among its dependencies. */
declare module "kerberos" {
  export interface KerberosClient {
    /** The principal of the ticket, once the steps are done: `etl@EXAMPLE.ORG`. */
    readonly username: string;
    /** Whether the steps are done. */
    readonly contextComplete: boolean;
    step(challenge: string): Promise<string>;
    unwrap(challenge: string): Promise<string>;
    wrap(challenge: string, options: { readonly user: string }): Promise<string>;
  }

  export function initializeClient(
    service: string,
    options: { readonly mechOID: number },
  ): Promise<KerberosClient>;

  export const GSS_MECH_OID_KRB5: number;
}
