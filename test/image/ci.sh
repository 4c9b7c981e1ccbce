#!/usr/bin/env bash
# Installs what the tests of the image need, where it is missing, and runs them: test/image/*.image.test.ts. For Debian and Ubuntu, as
# root. On machines that have all of it, installs nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# runc beside podman: its usual runtime, crun, doesn't start containers on every kernel that CI runs on.
missing=()
for program in podman runc mmdebstrap; do
  command -v "$program" >/dev/null || PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null || missing+=("$program")
done
if ((${#missing[@]} > 0)); then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update --quiet
  apt-get install --quiet --yes "${missing[@]}"
fi

# The `aws` command line that docs/DEPLOYING.md's commands are run with.
version=1.46.3
home="${XDG_CACHE_HOME:-$HOME/.cache}/keyhearth/awscli-$version"
if [ ! -x "$home/bin/aws" ]; then
  if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    apt-get update --quiet
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes python3-venv
  fi
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet "awscli==$version"
fi

exec node scripts/pinned-node.mjs vitest run --config test/image/vitest.config.ts
