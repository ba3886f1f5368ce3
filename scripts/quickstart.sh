#!/usr/bin/env bash
# From a fresh checkout to a trained model: installs what is missing, builds the program and trains
# configs/quickstart.yaml.  A second run does only what has changed since.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

program=build/release/bin/ossau
config=configs/quickstart.yaml
run=runs/quickstart

# True if a finished run is newer than everything it was made from.
up_to_date() {
  local source
  for source in "$program" "$config" examples/churn/mlc_churn.csv; do
    [[ $run/summary.json -nt $source ]] || return 1
  done
}

scripts/install_dependencies.sh
# Tests are test.sh's business; a folder that already builds them goes on doing so.
[[ -f build/release/build.ninja ]] || configure release build/release OSSAU_BUILD_TESTS=OFF
cmake --build build/release --target ossau

if up_to_date; then
  say "nothing has changed since the last run; its summary:"
  cat "$run/summary.json"
else
  "$program" train "$config" "run.directory=$run" run.overwrite=true
fi

say "results are in $root/$run"
echo "   model.safetensors   the model"
echo "   summary.json        the figures at its final weights"
echo "   metrics.jsonl       the same figures epoch by epoch"
echo "   config.yaml         the configuration that was in force, defaults included"
say "train again:  $program train $config run.overwrite=true training.epochs=5"
say "every key:    $program config"
