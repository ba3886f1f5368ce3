#!/usr/bin/env bash
# Kills trainings at random moments and lets others go on, with other numbers of ranks and other
# launchers, until one finishes: its model and metrics must be those of a run that nothing
# disturbed.  Then it begins again.
#   scripts/soak.sh                   50 kills
#   scripts/soak.sh --kills 5         so many
#   scripts/soak.sh --seed 7          the same choices again (moments differ)
#   scripts/soak.sh --program FILE    another ossau than build/release/bin/ossau
#   scripts/soak.sh --config FILE     another training than configs/minibatch_momentum.yaml
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kills=50
seed=$$
program=build/release/bin/ossau
config=configs/minibatch_momentum.yaml
while (($#)); do
  case $1 in
    --kills) kills=$2 ;;
    --seed) seed=$2 ;;
    --program) program=$2 ;;
    --config) config=$2 ;;
    -h | --help)
      sed -n '2,10s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *)
      echo "error: unknown argument $1 (see --help)" >&2
      exit 2
      ;;
  esac
  shift 2
done
RANDOM=$seed
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

folder=$(mktemp -d)
# Every process of this soak has this in its environment: so those that are left can be found.
export OSSAU_SOAK=$folder
processes() { grep -lzs "^OSSAU_SOAK=$folder\$" /proc/[0-9]*/environ | cut -d/ -f3 | grep -vxF -e "$$" -e "$BASHPID" || true; }
ranks_alive() {
  local process
  for process in $(processes); do
    [[ $(readlink "/proc/$process/exe" 2> /dev/null) != "$(realpath "$program")" ]] || echo "$process"
  done
}
finish() {
  local process
  for process in $(ranks_alive); do kill -KILL "$process" 2> /dev/null || true; done
  rm -rf "$folder"
}
trap finish EXIT

options=(training.epochs=3000 training.evaluate_every=500 checkpoint.every_steps=997
  communication.timeout_s=20 run.threads=1)

# start LAUNCHER RANKS DIRECTORY: in the background; `job` is the process to wait for.
start() {
  local launcher=$1 ranks=$2 directory=$3 rank address
  local command=("$program" train "$config" "${options[@]}" "run.directory=$directory")
  case $launcher in
    threads) "${command[@]}" "run.ranks=$ranks" > "$folder/out" 2> "$folder/err" & ;;
    mpirun) mpirun --oversubscribe -np "$ranks" "${command[@]}" > "$folder/out" 2> "$folder/err" & ;;
    environment)
      address=127.$((1 + RANDOM % 250)).$((RANDOM % 250)).1  # so that no two soaks meet
      (
        for ((rank = 1; rank < ranks; ++rank)); do
          RANK=$rank WORLD_SIZE=$ranks MASTER_ADDR=$address MASTER_PORT=29500 OSSAU_JOB_TOKEN=$folder \
            "${command[@]}" > "$folder/out.$rank" 2> "$folder/err.$rank" &
        done
        RANK=0 WORLD_SIZE=$ranks MASTER_ADDR=$address MASTER_PORT=29500 OSSAU_JOB_TOKEN=$folder \
          "${command[@]}" > "$folder/out" 2> "$folder/err" && code=0 || code=$?
        wait
        exit "$code"
      ) 2> /dev/null &
      ;;
  esac
  job=$!
}

# Without what depends on the moment.
metrics() { sed -E 's/"(elapsed_s|rows_per_second)":[^,}]*,?//g' "$1/metrics.jsonl"; }

fail() {
  echo "soak: FAILED: $1 (seed $seed)" >&2
  tail -n 5 "$folder"/err* >&2
  exit 1
}

expect_nobody() {
  local waited
  for ((waited = 0; waited < 300; ++waited)); do
    [[ -n $(ranks_alive) ]] || return 0
    sleep 0.1
  done
  fail "$1: processes are left: $(ranks_alive)"
}

start threads 1 "$folder/undisturbed"
wait "$job" || fail "the undisturbed run"
model=$(sha256sum < "$folder/undisturbed/model.safetensors")
metrics "$folder/undisturbed" > "$folder/metrics"

launchers=(threads environment)
if command -v mpirun > /dev/null && "$program" doctor | grep -q '^MPI .*Open MPI'; then
  launchers+=(mpirun)
fi
done_kills=0
finished=0
resumed=0
declare -A count
while ((done_kills < kills)); do
  launcher=${launchers[RANDOM % ${#launchers[@]}]}
  ranks=$((1 + RANDOM % 4))
  what=$launcher/$ranks
  start "$launcher" "$ranks" "$folder/run"
  sleep "$(awk -v r="$RANDOM" 'BEGIN { printf "%.3f", 0.02 + 1.5 * (r / 32768) ^ 2 }')"
  mapfile -t alive < <(ranks_alive)
  fault=none
  if ((${#alive[@]})); then
    victim=${alive[RANDOM % ${#alive[@]}]}
    faults=(kill-one kill-all stop-one stop-all)
    fault=${faults[RANDOM % 4]}
    victims=("${alive[@]}")
    [[ $fault != *-one ]] || victims=("$victim")
    signal=TERM
    [[ $fault != kill-* ]] || signal=KILL
    kill "-$signal" "${victims[@]}" 2> /dev/null || true  # some may have ended
  fi
  code=0
  wait "$job" 2> /dev/null || code=$?
  expect_nobody "$what, $fault"
  if grep -q "resumed from" "$folder/err"; then ((++resumed)); fi
  if [[ -e $folder/run/summary.json ]]; then
    [[ $(sha256sum < "$folder/run/model.safetensors") == "$model" ]] || fail "$what: another model"
    metrics "$folder/run" | cmp -s - "$folder/metrics" || fail "$what: other metrics"
    rm -rf "$folder/run"
    ((++finished))
  else
    case $fault-$code in
      kill-*-137 | kill-*-5 | stop-*-75 | stop-*-143 | stop-*-5) ;;
      *) fail "$what, $fault: exit code $code without a result" ;;
    esac
    ((++done_kills))
    count[$fault-$code]=$((${count[$fault-$code]:-0} + 1))
  fi
done
# What is left unfinished goes on to its end.
start threads 2 "$folder/run"
wait "$job" || fail "the last run"
[[ $(sha256sum < "$folder/run/model.safetensors") == "$model" ]] || fail "the last run: another model"
echo "soak: $done_kills kills, $resumed runs went on from a checkpoint, $((finished + 1)) finished with the model and metrics of the undisturbed one"
for fault in "${!count[@]}"; do echo "  ${fault%-*}, exit code ${fault##*-}: ${count[$fault]}"; done | sort
