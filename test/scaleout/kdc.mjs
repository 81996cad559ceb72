// A Kerberos for tests: a KDC on a loopback port, with one realm. kdc.d.mts says what each function promises.
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { freePort, isOpen, startServer } from "../services/servers.mjs";

const REALM = "TEST.EXAMPLE";
/** Debian keeps them out of the PATH of most users. */
const PATH = `${process.env.PATH}:/usr/sbin`;

export async function startKdc({ directory }) {
  const port = await freePort();
  const config = path.join(directory, "krb5.conf");
  const profile = path.join(directory, "kdc.conf");
  await mkdir(directory, { recursive: true });
  await writeFile(
    config,
    `[libdefaults]
  default_realm = ${REALM}
  dns_lookup_realm = false
  dns_lookup_kdc = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  ${REALM} = {
    kdc = 127.0.0.1:${port}
  }
[domain_realm]
  localhost = ${REALM}
`,
  );
  await writeFile(
    profile,
    `[kdcdefaults]
  kdc_listen = ""
  kdc_tcp_listen = 127.0.0.1:${port}
[realms]
  ${REALM} = {
    database_name = ${directory}/principal
    key_stash_file = ${directory}/stash
    acl_file = ${directory}/kadm5.acl
  }
`,
  );
  const environment = { PATH, KRB5_CONFIG: config, KRB5_KDC_PROFILE: profile };
  const run = (program, args, changes = {}) =>
    execFileSync(program, args, { env: { ...environment, ...changes }, stdio: ["ignore", "pipe", "pipe"] });
  run("kdb5_util", ["create", "-s", "-r", REALM, "-P", "of-database"]);
  const server = await startServer({
    directory,
    program: "/usr/sbin/krb5kdc",
    args: ["-n", "-r", REALM, "-P", path.join(directory, "pid")],
    environment,
    isReady: () => isOpen(port),
  });
  return {
    ...server,
    config,
    realm: REALM,
    keytabOf: (principal) => {
      const keytab = path.join(directory, `${principal.replaceAll("/", "-")}.keytab`);
      run("kadmin.local", ["-r", REALM, "-q", `addprinc -randkey ${principal}`]);
      run("kadmin.local", ["-r", REALM, "-q", `ktadd -k ${keytab} ${principal}`]);
      return keytab;
    },
    ticketOf: (principal, keytab) => {
      const cache = path.join(directory, `${principal.replaceAll("/", "-")}.ticket`);
      run("kinit", ["-k", "-t", keytab, principal], { KRB5CCNAME: cache });
      return cache;
    },
  };
}
