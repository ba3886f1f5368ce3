#!/usr/bin/env bash
# Times full-batch training on two ranks of one thread (mpirun), on one rank of two threads and on
# one rank of one thread, in turn, on rows that fit the last cache and on rows that do not.
#   scripts/bench_ranks.sh            seven rounds; needs a release build and Open MPI
#   scripts/bench_ranks.sh ROUNDS
# Prints medians over the rounds, of the seconds of a step and of the ratios within a round, so that
# a machine whose speed drifts does not count twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=${1:-7}
program=build/release/bin/ossau
columns=100
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# rows COUNT: numbers of two digits, a label that half depends on them.
rows() {
  awk -v rows="$1" -v columns="$columns" 'BEGIN {
    srand(1)
    for (i = 0; i < rows; ++i) {
      sum = 0; line = ""
      for (j = 0; j < columns; ++j) { x = int(200 * rand()) - 100; sum += j < 10 ? x : 0; line = line "\t" x / 100 }
      print (sum + 300 * rand() > 150) line
    }
  }'
}

# step_seconds FILE EPOCHS RANKS THREADS: of one training.
step_seconds() {
  local launch=()
  (($3 == 1)) || launch=(mpirun --oversubscribe --bind-to none -np "$3")
  "${launch[@]}" "$program" train configs/full_batch.yaml "data.train=$1" data.csv.label=first \
    "training.epochs=$2" training.tolerance=0 "run.threads=$4" "run.directory=$folder/run" \
    run.overwrite=true run.device=cpu > "$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
  sed -n 's/.*"train_s": \([0-9.e+-]*\).*/\1/p' "$folder/run/summary.json" |
    awk -v epochs="$2" '{ printf "%.9f\n", $1 / epochs }'
  sed -n 's/.*"communication_s": \([0-9.e+-]*\).*/\1/p' "$folder/run/summary.json" |
    awk -v epochs="$2" '{ printf "%.9f\n", $1 / epochs }' > "$folder/communication"
}

median() { sort -g | awk '{ x[NR] = $1 } END { print NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2 }'; }

# compare NAME ROWS EPOCHS
compare() {
  local round one two ranks
  rows "$2" > "$folder/rows.tsv"
  : > "$folder/table"
  for ((round = 0; round < rounds; ++round)); do
    one=$(step_seconds "$folder/rows.tsv" "$3" 1 1)
    two=$(step_seconds "$folder/rows.tsv" "$3" 1 2)
    ranks=$(step_seconds "$folder/rows.tsv" "$3" 2 1)
    echo "$one $two $ranks $(cat "$folder/communication")" >> "$folder/table"
  done
  awk -v name="$1" -v rows="$2" -v columns="$columns" \
    -v one="$(cut -d' ' -f1 "$folder/table" | median)" \
    -v two="$(cut -d' ' -f2 "$folder/table" | median)" \
    -v ranks="$(cut -d' ' -f3 "$folder/table" | median)" \
    -v sums="$(cut -d' ' -f4 "$folder/table" | median)" \
    -v beside="$(awk '{ print $2 / $3 }' "$folder/table" | median)" \
    -v gain="$(awk '{ print $1 / $3 }' "$folder/table" | median)" 'BEGIN {
      printf "%s, %d x %d: one thread %.3f ms, two threads %.3f ms, two ranks %.3f ms a step\n", name, rows, columns, 1e3 * one, 1e3 * two, 1e3 * ranks
      printf "  two ranks reach %.2f of the speed of two threads, %.2f of one; adding up takes %.3f ms, %.1f %% of a step\n", beside, gain, 1e3 * sums, 100 * sums / ranks
    }'
}

compare "In the last cache" 40000 1500
compare "Past the last cache" 400000 150
