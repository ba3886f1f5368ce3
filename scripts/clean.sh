#!/usr/bin/env bash
# Removes what the other scripts made: the builds and the runs.  Installed packages stay.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
rm -rf -- "$root/build" "$root/runs"
