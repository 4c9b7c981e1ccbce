#!/usr/bin/env bash
# Installs the server that the tests of shared rate limits run, where there is none: they would be left out without it. For Debian and
# Ubuntu, as root.
set -euo pipefail

if command -v valkey-server >/dev/null || command -v redis-server >/dev/null; then exit 0; fi
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
# Releases of before 2025 know only the elder of the two. The tests start servers of their own: the package's isn't wanted.
apt-cache show valkey-server >/dev/null 2>&1 && package=valkey-server || package=redis-server
RUNLEVEL=1 apt-get install --quiet --yes --no-install-recommends "$package"
