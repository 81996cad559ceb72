#!/usr/bin/env bash
# Holds examples/kubernetes to the schemas of Kubernetes, of the first version that it is for and of the newest that is known, and
# runs the command of its container.
set -euo pipefail
cd "$(dirname "$0")/../.."

validate="$(test/python-packages.sh kubernetes-validate test/schedulers/kubernetes-requirements.txt)/kubernetes-validate"
for version in 1.31 1.37; do "$validate" --strict --kubernetes-version "$version" examples/kubernetes/*.yaml; done

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
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
