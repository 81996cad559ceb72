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
  if (build === undefined) assert.match(image, /:\d+\.\d+\.\d+|:RELEASE\./, `${name} has one version`);
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

// Every account and key comes from .env, and is asked for by name where it is not there.
const fromEnvironment = "\\$\\{[A-Z_]+:\\?[^}]+\\}";
const plain = new RegExp(`^${fromEnvironment}$`);
const inUrl = new RegExp(`//${fromEnvironment}:${fromEnvironment}@`);
for (const [name, { environment = {} }] of Object.entries(raw.services)) {
  for (const [variable, value] of Object.entries(environment)) {
    if (/PASSWORD|SECRET|KEY|TOKEN|USER/.test(variable)) assert.match(value, plain, `${variable} of ${name}`);
    else if (/\/\/[^/]*@/.test(value ?? "")) assert.match(value, inUrl, `${variable} of ${name}`);
  }
}
