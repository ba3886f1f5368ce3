#!/usr/bin/env bash
# What only a GPU can show, in order of risk; what has been found is on disk after every step.
#   scripts/gpu_check.sh --build      makes build/gpu: programs and the libraries they need, no GPU needed
#   scripts/gpu_check.sh --first      where there is a GPU: is every bit right?  At most 150 s
#   scripts/gpu_check.sh --measure    how fast is it, and beside PyTorch?  At most 200 s
#   scripts/gpu_check.sh              one after the other
# The machine needs this checkout with build/gpu, a driver and bash; CUDA's tools and PyTorch add to it.
# Logs and JSON go to the folder that the variable OUT names, else to build/gpu/results.
# Exit code 1 where a step failed or its tests were skipped.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

bundle=build/gpu
parts=()
while (($#)); do
  case $1 in
    --build) parts+=(build) ;;
    --first) parts+=(first) ;;
    --measure) parts+=(measure) ;;
    -h | --help)
      sed -n '2,9s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) fail "unknown argument $1 (see --help)" ;;
  esac
  shift
done
((${#parts[@]})) || parts=(first measure)

programs=(ossau gpu_test gpu_gradient_bench)

# ---- The bundle

# Libraries that a machine may lack; the C library and the compiler's own are everywhere.
needed_libraries() {
  local program
  for program in "${programs[@]}" libossau_cuda.so; do
    ldd "build/release/bin/$program"
  done | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
    grep -vE '/(libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+|ld-linux[^/]*)\.so' || true
}

make_bundle() {
  local library
  scripts/install_dependencies.sh --tests
  configure release build/release OSSAU_BUILD_TESTS=ON OSSAU_BUILD_BENCHMARKS=ON OSSAU_CUDA=ON
  cmake --build build/release --target "${programs[@]}" ossau_cuda
  rm -rf -- "$bundle"
  mkdir -p "$bundle/bin" "$bundle/lib"
  cp -- "${programs[@]/#/build/release/bin/}" build/release/bin/libossau_cuda.so "$bundle/bin/"
  while read -r library; do cp -L -- "$library" "$bundle/lib/"; done < <(needed_libraries)
  git rev-parse --short HEAD > "$bundle/commit" 2> /dev/null || echo unknown > "$bundle/commit"
  say "$bundle is ready ($(du -sh "$bundle" | cut -f 1)): run scripts/gpu_check.sh where there is a GPU"
}

# ---- Steps
#
# Each is a process of its own under a time limit, since an error of a GPU ends all that its process
# may do there, and a kernel may wait for ever.  Its output goes into the log at once; the JSON is
# written anew after each.

results=
part=
deadline=0    # of the part, on the clock of SECONDS
failed=0      # steps of all parts
part_failed=0
entries=()    # of the JSON
last=         # verdict of the last step
last_output=  # and what it said

# json_text: standard input as one JSON string.
json_text() {
  tr -d '\000-\010\013-\037' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/\t/\\t/g' |
    awk 'BEGIN { printf "\"" } { printf "%s\\n", $0 } END { printf "\"" }'
}

# json_file FILE: what a program left there as JSON, or null.
json_file() {
  if [[ -s $1 ]]; then cat -- "$1"; else printf 'null'; fi
}

gpu_name() {
  local name
  name=$(timeout -k 2 5 nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader \
    2> /dev/null | head -n 1) || true
  printf '%s' "${name:-unknown}"
}

# Written aside and renamed: whoever is killed leaves a whole file.
write_json() {
  local file=$results/$part.json i
  {
    printf '{"part": "%s", "date": "%s", "commit": "%s", "command": "scripts/gpu_check.sh --%s",\n' \
      "$part" "$(date -u +%F)" "$(cat "$bundle/commit")" "$part"
    printf '"gpu": "%s",\n"failed": %d, "seconds": %d,\n"steps": [' "$gpu" "$part_failed" \
      "$((SECONDS - started))"
    for ((i = 0; i < ${#entries[@]}; ++i)); do
      ((i == 0)) || printf ','
      printf '\n%s' "${entries[i]}"
    done
    printf '],\n"doctor": %s' "$(json_file "$results/doctor.json")"
    if [[ $part == measure ]]; then
      printf ',\n"figures": %s' "$(json_file "$results/figures.json")"
      printf ',\n"torch_figures": %s' "$(json_file "$results/torch_figures.json")"
    fi
    printf '}\n'
  } > "$file.new"
  mv -- "$file.new" "$file"
}

# record NAME VERDICT CODE SECONDS: one line here, in the log and in the JSON; a verdict that is not
# `passed` or `left out` is a failure.  The step's output is in last_output.
record() {
  local line
  last=$2
  entries+=("{\"name\": \"$1\", \"verdict\": \"$2\", \"exit_code\": $3, \"seconds\": $4, \"output\": $(
    tail -c 4000 <<< "$last_output" | json_text
  )}")
  case $2 in
    passed | reported | 'left out') ;;
    *)
      failed=$((failed + 1))
      part_failed=$((part_failed + 1))
      tail -n 15 <<< "$last_output"
      ;;
  esac
  line=$(printf '%-9s %3d s  %s' "$2" "$4" "$1")
  printf '== %s\n' "$line" >> "$log"
  say "$line"
  write_json
}

# verdict_of CODE KIND: what a step's exit code and output come to.
verdict_of() {
  if (($1 == 124 || $1 == 137)); then
    echo 'no answer'
  elif [[ $2 == report ]] && (($1 == 0 || $1 == 9)); then
    echo reported
  elif (($1 != 0)); then
    echo failed
  elif [[ $2 == tests ]] && grep -q '^\[  SKIPPED \]' <<< "$last_output"; then
    echo skipped
  elif [[ $2 == tests ]] && ! grep -q '^\[  PASSED  \] [1-9]' <<< "$last_output"; then
    echo 'no tests'
  else
    echo passed
  fi
}

# step NAME SECONDS KIND COMMAND...: KIND is tests (of GoogleTest; a skipped one is a failure), command,
# or report (exit code 9 has been explained).
step() {
  local name=$1 limit=$2 kind=$3 code=0 begin=$SECONDS from left=$((deadline - SECONDS))
  shift 3
  if ((left < 2)); then
    last_output="the time of --$part was up"
    record "$name" 'not run' 0 0
    return
  fi
  ((limit < left)) || limit=$left
  printf '\n== %s: %s\n' "$name" "$*" >> "$log"
  from=$(stat -c %s "$log")
  timeout -k 2 "$limit" "$@" >> "$log" 2>&1 < /dev/null || code=$?
  last_output=$(tail -c +"$((from + 1))" "$log" | tr -d '\000')
  record "$name" "$(verdict_of "$code" "$kind")" "$code" "$((SECONDS - begin))"
}

# tests NAME SECONDS FILTER [COMMAND...]: some of gpu_test's cases, under a command where one is given.
tests() {
  local name=$1 limit=$2 filter=$3
  shift 3
  step "$name" "$limit" tests "$@" "$bundle/bin/gpu_test" --gtest_fail_fast "--gtest_filter=$filter"
}

leave_out() {
  last_output=$2
  record "$1 ($2)" 'left out' 0 0
}

begin_part() {
  part=$1
  started=$SECONDS
  deadline=$((SECONDS + $2))
  log=$results/$part.log
  entries=()
  part_failed=0
  : > "$log"
  say "--$part, at most $2 s; all of it in $results/$part.log and $part.json"
  write_json
}

# ---- What steps run besides gpu_test

# Functions of this script, in a shell of their own, so that they too can be stopped.
# shellcheck disable=SC2016  # the inner shell expands it
function=(bash -euo pipefail -c '"$@"' bash)

# Only libraries that are missing make this fail: what else is wrong, the first test says better.
look_at_machine() {
  local file missing=0
  echo "$1"
  uname -srm
  echo "$(nproc) processors"
  nvidia-smi || echo 'nvidia-smi does not run'
  for file in $program_names libossau_cuda.so; do
    if ldd "$bundle/bin/$file" 2>&1 | grep -E 'not found|not a dynamic'; then missing=1; fi
  done
  return "$missing"
}

keep_doctor() {
  "$bundle/bin/ossau" doctor
  "$bundle/bin/ossau" doctor --json > "$1/doctor.json.new"
  mv -- "$1/doctor.json.new" "$1/doctor.json"
}

# The same model on both processors by the program itself.
same_model() {
  local config device
  for config in minibatch_momentum quickstart; do # a rule, then a solver
    for device in cpu cuda; do
      "$bundle/bin/ossau" train "configs/$config.yaml" "run.device=$device" \
        "run.directory=$1/$config/$device" run.overwrite=true
    done
    sha256sum "$1/$config"/{cpu,cuda}/model.safetensors
    cmp "$1/$config"/{cpu,cuda}/model.safetensors
  done
}

export -f look_at_machine keep_doctor same_model
export bundle program_names="${programs[*]}"

# Where the loader does not know the driver's library, containers mostly have it in one of these.
find_driver() {
  local folder
  if ldconfig -p 2> /dev/null | grep -q 'libcuda\.so\.1'; then
    driver='libcuda.so.1 is known to the loader'
    return
  fi
  for folder in /usr/local/nvidia/lib64 /usr/lib/x86_64-linux-gnu /usr/lib/aarch64-linux-gnu \
    /usr/lib64 /usr/lib/wsl/lib /usr/local/cuda/compat; do
    [[ -e $folder/libcuda.so.1 ]] || continue
    export LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    driver="libcuda.so.1 is in $folder, which LD_LIBRARY_PATH now names"
    return
  done
  driver='libcuda.so.1 was not found: is a driver installed?'
}

# Whether a GPU starts to work at all; the rest of a part is pointless where it does not.
starts() {
  tests 'context, module, self-test' 12 '*LeavesRoomForANote*/resident'
  [[ $last != passed ]] || return 0
  say "nothing else can be tried here: $(
    grep -m 1 -E 'no GPU|rror' <<< "$last_output" || echo "see $log"
  )"
  return 1
}

# ---- --first

# trainings NAME METHODS: methods are patterns of names, with colons between them.
trainings() {
  local each filter=
  IFS=: read -ra each <<< "$2"
  printf -v filter ':*GivesTheModel*/*_%s' "${each[@]}"
  tests "trainings, $1" 12 "${filter#:}"
}

first() {
  local columns
  local plain=plain momentum='momentum*:nesterov' proximal='l1:pseudo_huber' others
  local acceleration='adaptive*' scaling='folding:rate_beyond*'
  begin_part first 147
  step 'the machine' 12 command "${function[@]}" look_at_machine "$driver"
  starts || return 0
  tests 'sparse rows: no bulk copies' 12 '*SumsSparse*/resident'
  tests 'dense rows: the first bulk copies' 12 '*SumsDense*/resident'
  tests 'all of the shared memory' 12 'GpuShapes.LetABlockHave*'
  tests 'very wide sparse rows' 12 '*VeryWide*/resident'
  tests 'dense rows of every width: tickets, graphs' 12 'GpuShapes.TakeDenseRowsOfEveryWidth'
  tests 'small steps in one kernel' 12 'GpuShapes.TakeManySmall*'
  tests 'small steps on many blocks' 12 'GpuShapes.ShareSmallSteps*'
  tests 'sums of many rows' 20 'GpuShapes.GiveTheCpusSums*' # it is the CPU's part that takes long
  for columns in 28 100 3; do
    tests "rings that are filled again and again, $columns columns" 12 "*GpuRing*/$columns"
  done
  tests 'rows that stream' 12 '*/streamed'
  step doctor 12 command "${function[@]}" keep_doctor "$results"
  step 'the same model by the program' 12 command "${function[@]}" same_model "$results/runs"
  trainings plain "$plain"
  trainings momentum "$momentum"
  trainings 'proximal steps' "$proximal"
  trainings acceleration "$acceleration"
  trainings scaling "$scaling"
  tests 'trainings, touched features' 12 'GpuShapes.ListTouched*'
  tests "solvers' passes" 12 '*SolverContract*/resident*'
  tests "solvers' passes, rows that stream" 12 '*SolverContract*/streamed*'
  others="$plain:$momentum:$proximal:$acceleration:$scaling"
  tests 'trainings, all others' 12 "*GivesTheModel*-*_${others//:/:*_}"
  tests 'all other sums' 12 '*BackendContract*/resident-*SumsSparse*:*SumsDense*:*VeryWide*:*LeavesRoom*'
  tests 'checkpoints between processors' 12 '*GoesOnFromTheCpus*/dense_*'
  tests 'checkpoints between processors, sparse' 12 '*GoesOnFromTheCpus*/sparse_*'
  if command -v compute-sanitizer > /dev/null; then
    tests 'memcheck of dense rows' 40 '*SumsDense*/resident' \
      compute-sanitizer --tool memcheck --error-exitcode 9
  else
    leave_out memcheck 'compute-sanitizer is not installed'
  fi
}

# ---- --measure

measure() {
  begin_part measure 197
  rm -f -- "$results"/{figures,torch_figures}.json
  starts || return 0
  step benchmark 100 command "$bundle/bin/gpu_gradient_bench" --out "$results/figures.json"
  if command -v python3 > /dev/null && python3 -c 'import torch' 2> /dev/null; then
    step torch 80 command python3 benchmarks/compare/torch_gpu.py \
      --ossau "$bundle/bin/gpu_gradient_bench" --only rows=1024 --out "$results/torch_figures.json"
  else
    leave_out torch 'PyTorch is not installed'
  fi
  # It does not know that a bulk copy waits for those who read, so it is expected to see hazards.
  if command -v compute-sanitizer > /dev/null; then
    step racecheck 40 report compute-sanitizer --tool racecheck --error-exitcode 9 \
      "$bundle/bin/gpu_test" '--gtest_filter=*SumsWeighted*/resident:*CountsScores*/resident'
  else
    leave_out racecheck 'compute-sanitizer is not installed'
  fi
}

for part in "${parts[@]}"; do
  if [[ $part == build ]]; then
    make_bundle
    continue
  fi
  [[ -x $bundle/bin/gpu_test ]] || fail "$bundle is not there: scripts/gpu_check.sh --build makes it"
  if [[ -z $results ]]; then
    results=${OUT:-$bundle/results}
    mkdir -p -- "$results"
    results=$(realpath -- "$results")
    gpu=$(gpu_name)
    find_driver
  fi
  "$part"
done
((failed == 0)) || fail "steps that failed: $failed; see $results"
