#!/usr/bin/env bash
# Installs Chromium, with which the tests open the pages, from Debian's packages; that needs root. Safe to repeat.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

found="$(node --input-type=module --eval 'import { findChromium } from "./chromium.mjs"; console.log(findChromium() ?? "")')"
if [ -z "$found" ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
  found="$(command -v chromium)"
fi
"$found" --version
