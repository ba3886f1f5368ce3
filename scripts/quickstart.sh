#!/usr/bin/env bash
# From a fresh checkout to a trained model: installs what is missing, builds the program and trains
# configs/quickstart.yaml.  A second run does only what has changed since.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

program=build/release/bin/ossau
config=configs/quickstart.yaml
run=runs/quickstart
table=runs/quickstart.txt # what the program said of the finished run

# True if a finished run is newer than everything it was made from.
up_to_date() {
  local source
  [[ -f $run/summary.json ]] || return 1
  for source in "$program" "$config" examples/churn/mlc_churn.csv; do
    [[ $table -nt $source ]] || return 1
  done
}

scripts/install_dependencies.sh
# Tests are test.sh's business; a folder that already builds them goes on doing so.
[[ -f build/release/build.ninja ]] || configure release build/release OSSAU_BUILD_TESTS=OFF
cmake --build build/release --target ossau

if up_to_date; then
  say "nothing has changed since the last run, which said:"
  cat "$table"
else
  mkdir -p runs
  "$program" train "$config" "run.directory=$run" run.overwrite=true | tee "$table.new"
  mv -- "$table.new" "$table"
fi

say "results are in $root/$run; to look closer or go on:"
echo "   $program train $config run.directory=runs/again model.l2=0.01"
echo "   $program config        # every key, its default and its meaning"
