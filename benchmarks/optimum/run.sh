#!/usr/bin/env bash
# Times Ossau and its peers to the same true distance from the optimum (README.md here).
#   OSSAU_REFERENCE_DATA=FOLDER benchmarks/optimum/run.sh [--only TEXT]... [--large] [--rounds N] [--out FILE]
# The first run puts the peers into build/optimum/venv.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../../scripts/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../../scripts/common.sh"

here=benchmarks/optimum
scratch=build/optimum
python=$scratch/venv/bin/python

configure release build/release OSSAU_BUILD_BENCHMARKS=ON
cmake --build build/release --target ossau_worker

if [[ ! $scratch/venv/complete -nt $here/requirements.txt ]]; then
  python3 -m venv "$scratch/venv"
  while read -r line; do
    [[ -n $line && $line != \#* ]] || continue
    "$python" -m pip install --quiet "$line" || say "skipped: $line cannot be installed"
  done < "$here/requirements.txt"
  touch "$scratch/venv/complete"
fi
export PYTHONDONTWRITEBYTECODE=1
"$python" "$here/optimum.py" --worker build/release/bin/ossau_worker --data "$scratch/data" "$@"
