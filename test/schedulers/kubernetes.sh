#!/usr/bin/env bash
# Holds examples/kubernetes to the schemas of Kubernetes, of the first version that it is for and of the newest that is known, runs the
# command of the CronJob, and asks an api with the settings of the Deployment what its probes ask.
set -euo pipefail
cd "$(dirname "$0")/../.."

validate="$(test/python-packages.sh kubernetes-validate test/schedulers/kubernetes-requirements.txt)/kubernetes-validate"
for version in 1.31 1.37; do "$validate" --strict --kubernetes-version "$version" examples/kubernetes/*.yaml; done

folder="$(mktemp -d)"
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$folder"' EXIT
# As in the image, whose entry in the path this is.
ln -s "$PWD/dist/cli/main.js" "$folder/pipeline"
export PATH="$folder:$PATH" RAW_ZONE="$PWD/data/raw" CURATED_ZONE="$folder/curated" PROVISION_ZONE="$folder/provision"
export CONSUMPTION_URL="sqlite:$folder/consumption.db" RUN_REPORTS="$folder/runs"
node --input-type=module >"$folder/command.json" -e '
  import { readFileSync } from "node:fs";
  import { loadAll } from "js-yaml";
  const [, , job] = loadAll(readFileSync("examples/kubernetes/cronjob.yaml", "utf8"));
  const [{ command }] = job.spec.jobTemplate.spec.template.spec.containers;
  process.stdout.write(command.join("\0"));'
mapfile -d '' -t command <"$folder/command.json"
"${command[@]}" | grep "^The voucher answers for $(LC_ALL=C date -u +"%-d %B %Y") are published"

# The Secret of the Deployment as Kubernetes mounts it, but with another database.
echo "$CONSUMPTION_URL" >"$folder/consumption-url"
unset CONSUMPTION_URL
node --input-type=module >"$folder/api.txt" -e '
  import { readFileSync } from "node:fs";
  import { loadAll } from "js-yaml";
  const [, deployment, service] = loadAll(readFileSync("examples/kubernetes/api.yaml", "utf8"));
  const [{ env, ports, ...container }] = deployment.spec.template.spec.containers;
  assert.deepEqual(service.spec.selector, deployment.spec.template.metadata.labels);
  assert.equal(service.spec.ports[0].targetPort, ports[0].name);
  console.log(env.map(({ name, value }) => `${name}=${value.replace("/run/secrets/voucher-api", process.argv[1])}`).join(" "));
  for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) console.log(container[probe].httpGet.path);' "$folder"
read -r settings <"$folder/api.txt"
# shellcheck disable=SC2086
env PORT=0 $settings node dist/api/main.js >"$folder/api.log" &
for _ in $(seq 100); do grep -q 'listening on' "$folder/api.log" && break; sleep 0.1; done
address="$(sed -nE 's#.*listening on (http://[0-9.]+:[0-9]+).*#\1#p' "$folder/api.log")"
sed 1d "$folder/api.txt" | while read -r path; do
  curl --silent --show-error --fail --output /dev/null "$address$path" || exit 1
  echo "$path answers 200"
done
