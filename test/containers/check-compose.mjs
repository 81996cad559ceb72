// Checks what `docker compose config` does not: node check-compose.mjs compose.yaml config.json HEALTHCHECK-OF-IMAGE
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { CORE_SCHEMA, load, mergeTag } from "js-yaml";

const [file, configFile, healthcheckOfImage] = process.argv.slice(2);
const raw = load(await readFile(file, "utf8"), { schema: CORE_SCHEMA.withTags(mergeTag) });
const { services } = JSON.parse(await readFile(configFile, "utf8"));
const hasOwnCheck = JSON.parse(healthcheckOfImage) !== null;

for (const [name, service] of Object.entries(services)) {
  const { restart, healthcheck, build, image, privileged, security_opt: options = [] } = service;
  if (restart === "no")
    assert.notEqual(healthcheck?.test?.[0], "CMD", `${name} ends, and has nothing to check`);
  else {
    assert.equal(restart, "unless-stopped", `${name} comes back after a crash`);
    const isOurs = image === "voucher-pipeline";
    assert.ok(healthcheck?.test ?? (isOurs && hasOwnCheck), `${name} has a health check`);
  }
  if (build === undefined) assert.match(image, /:\d+\.\d+(\.\d+)?|:RELEASE\./, `${name} has one version`);
  assert.ok(!privileged && options.includes("no-new-privileges:true"), `${name} cannot gain rights`);
  if (build !== undefined) {
    assert.ok(service.read_only, `${name} cannot change its own files`);
    assert.deepEqual(service.cap_drop, ["ALL"], `${name} has no rights of root`);
  }
  for (const { host_ip: address } of service.ports ?? [])
    assert.equal(address, "127.0.0.1", `who reaches ${name}`);
  for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
    const ends = services[other].restart === "no";
    const expected = ends ? "service_completed_successfully" : "service_healthy";
    assert.equal(condition, expected, `${name} waits for ${other}`);
  }
}

// Every secret comes from a file, of a folder that is asked for by name if .env does not have it.
for (const [name, { environment = {}, secrets = [] }] of Object.entries(raw.services)) {
  const files = Object.entries(environment).filter(([variable]) => variable.endsWith("_FILE"));
  for (const [variable, file] of files) {
    // An empty value takes one away that several services have in common.
    if (file !== null)
      assert.ok(secrets.includes(file.replace("/run/secrets/", "")), `${variable} of ${name} is a secret`);
  }
  for (const [variable, value] of Object.entries(environment)) {
    if (variable.endsWith("_FILE")) continue;
    assert.doesNotMatch(variable, /PASSWORD|SECRET|TOKEN|_URL$/, `${variable} of ${name} comes from a file`);
    assert.doesNotMatch(value ?? "", /\/\/[^/]*@/, `${variable} of ${name} has no password in it`);
  }
}
for (const [name, { file }] of Object.entries(raw.secrets))
  assert.equal(file, `\${SECRETS_DIRECTORY:?set it in .env}/${name}`, `the file of ${name}`);
