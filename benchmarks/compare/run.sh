#!/usr/bin/env bash
# Compares Ossau with other programs on the same data (README.md here) and prints one table.
#   benchmarks/compare/run.sh [--rounds N] [--only TEXT]... [--fresh] [--publish] [--out FILE]
# The first run downloads about 3 GB of packages into build/compare/venv.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../../scripts/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../../scripts/common.sh"

here=benchmarks/compare
scratch=${OSSAU_COMPARE_SCRATCH:-build/compare}
program_folder=${OSSAU_BUILD:-build/release}
python=$scratch/venv/bin/python
requirements=$here/requirements.txt

build() {
  configure release "$program_folder" OSSAU_BUILD_BENCHMARKS=ON
  cmake --build "$program_folder" --target generate_data ossau_worker
}

# A package that cannot be had costs its own rows, not the others'.
install_peers() {
  [[ ! $requirements -nt $scratch/venv/complete ]] || {
    python3 -m venv "$scratch/venv"
    local line
    while read -r line; do
      [[ -z $line || $line == \#* ]] && continue
      "$python" -m pip install --quiet "$line" || say "skipped: $line cannot be installed"
    done < "$requirements"
    touch "$scratch/venv/complete"
  }
}

make_data() {
  local name missing=()
  for name in narrow dense sparse; do
    [[ -f $scratch/data/$name/header.json ]] || missing+=("$name")
  done
  ((${#missing[@]} == 0)) || "$program_folder/bin/generate_data" "$scratch/data" "${missing[@]}"
}

[[ ${OSSAU_BUILD:-} ]] || build
mkdir -p "$scratch"
install_peers
make_data
export PYTHONDONTWRITEBYTECODE=1
"$python" "$here/compare.py" --worker "$program_folder/bin/ossau_worker" --data "$scratch/data" "$@"
