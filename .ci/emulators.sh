#!/usr/bin/env bash
# Deploys the templates with the real CLI to AWS emulators that others wrote: test/emulators. Installs them beside the repository's
# caches first. Where they can't be had, says so and ends well: they are a second opinion, which not every machine can ask for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

moto=5.2.5
ministack=1.5.33
cache="${XDG_CACHE_HOME:-$HOME/.cache}/keyhearth"

leave_out() {
  echo "emulators: left out, nothing was deployed to moto and ministack: $1"
  exit 0
}

# Usage: install <folder> <requirement>
install() {
  # Written last: an interrupted installation isn't taken for a whole one.
  if [ -e "$1/installed" ]; then return; fi
  rm -rf "$1"
  python3 -m venv "$1" && "$1/bin/pip" install --quiet --disable-pip-version-check "$2" && touch "$1/installed"
}

command -v python3 >/dev/null || leave_out "there is no python3"
if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; } ||
    leave_out "python3 has no venv"
fi
install "$cache/moto-$moto" "moto[server]==$moto" || leave_out "pip can't install moto $moto"
install "$cache/ministack-$ministack" "ministack==$ministack" || leave_out "pip can't install ministack $ministack"

export KEYHEARTH_MOTO="$cache/moto-$moto/bin/moto_server"
export KEYHEARTH_MINISTACK="$cache/ministack-$ministack/bin/ministack"
exec node scripts/pinned-node.mjs vitest run --config test/emulators/vitest.config.ts
