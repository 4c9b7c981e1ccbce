#!/usr/bin/env bash
# Judges the templates in cdk.out with cfn-lint, which knows nothing of the CDK. Installs it beside the repository's caches first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=1.58.0
home="${XDG_CACHE_HOME:-$HOME/.cache}/keyhearth/cfn-lint-$version"
if [ ! -x "$home/bin/cfn-lint" ]; then
  if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv
  fi
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet "cfn-lint==$version"
fi
exec node scripts/pinned-node.mjs node infra/test/judge-templates.ts "$home/bin/cfn-lint"
