#!/usr/bin/env bash
# Everything that only a GPU can show, in one run of under 8 minutes; one JSON file is left.
#   scripts/gpu_check.sh --build        makes build/gpu: programs and the libraries they need, no GPU needed
#   scripts/gpu_check.sh [--out FILE]   runs them where there is a GPU; the machine needs a driver, bash and
#                                       what build/gpu holds (with CUDA's tools and PyTorch it does more)
# The file holds: the machine; the tests' verdicts (bit for bit against the CPU); what compute-sanitizer
# said; every figure of the benchmark; PyTorch beside it.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

bundle=build/gpu
out=$bundle/gpu_check.json
build=0
while (($#)); do
  case $1 in
    --build) build=1 ;;
    --out)
      (($# > 1)) || fail "--out needs a file, for example: scripts/gpu_check.sh --out results.json"
      out=$(cd -- "$OLDPWD" && realpath -m -- "$2") # common.sh has gone to the top folder
      shift
      ;;
    -h | --help)
      sed -n '2,8s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) fail "unknown argument $1 (see --help)" ;;
  esac
  shift
done

programs=(ossau gpu_test gpu_gradient_bench)

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

if ((build)); then
  make_bundle
  exit 0
fi
[[ -x $bundle/bin/gpu_test ]] || fail "$bundle is not there: scripts/gpu_check.sh --build makes it"

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failed=0

# text FILE: its content as one JSON string.
text() {
  local content
  content=$(tail -c 4000 "$1" | tr -d '\000-\010\013-\037' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' \
    -e 's/\t/\\t/g' | awk '{ printf "%s\\n", $0 }')
  printf '"%s"' "$content"
}

# part NAME SECONDS COMMAND...: runs it with a deadline and keeps its verdict, output and time.
part() {
  local name=$1 limit=$2 start=$SECONDS code=0
  shift 2
  say "$name"
  timeout --kill-after=5 "$limit" "$@" > "$work/$name.txt" 2>&1 || code=$?
  tail -n 25 "$work/$name.txt"
  ((code == 0)) || failed=1
  printf '{"exit_code": %d, "seconds": %d, "output": %s}' "$code" "$((SECONDS - start))" \
    "$(text "$work/$name.txt")" > "$work/$name.json"
}

skip() {
  say "$1: skipped: $2"
  printf '{"skipped": "%s"}' "$2" > "$work/$1.json"
}

# The same model on both processors by the program itself.
export bundle work
# shellcheck disable=SC2016  # the inner shell expands it
same_model='
  for device in cpu cuda; do
    "$bundle/bin/ossau" train configs/quickstart.yaml "run.device=$device" \
      "run.directory=$work/$device" run.overwrite=true
  done
  sha256sum "$work"/{cpu,cuda}/model.safetensors
  cmp "$work"/{cpu,cuda}/model.safetensors'

timeout 60 "$bundle/bin/ossau" doctor | tee "$work/doctor.txt"
if grep -q '^CUDA .*no GPU' "$work/doctor.txt"; then fail "$(grep '^CUDA ' "$work/doctor.txt")"; fi
timeout 60 "$bundle/bin/ossau" doctor --json > "$work/doctor.json"
smi=$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2> /dev/null || echo unknown)
part tests 130 "$bundle/bin/gpu_test" --gtest_brief=1
part same_model 40 bash -euo pipefail -c "$same_model"

# Small cases: every access costs the checker a thousand times its time.
small='*BackendContract.SumsWeighted*:*BackendContract.CountsScores*:*GpuTraining*plain*'
for tool in memcheck racecheck; do
  if ! command -v compute-sanitizer > /dev/null; then
    skip "$tool" "compute-sanitizer is not installed"
  elif ! timeout 20 compute-sanitizer --tool "$tool" "$bundle/bin/gpu_test" \
    --gtest_filter='*BackendContract.GivesTheGradient*resident*' > "$work/$tool.txt" 2>&1 &&
    grep -qiE 'not supported|unable to' "$work/$tool.txt"; then
    skip "$tool" "compute-sanitizer does not run here"
  else
    part "$tool" 40 compute-sanitizer --tool "$tool" --error-exitcode 9 "$bundle/bin/gpu_test" \
      --gtest_brief=1 "--gtest_filter=$small"
  fi
done

part benchmark 100 "$bundle/bin/gpu_gradient_bench" --out "$work/figures.json"
[[ -s $work/figures.json ]] || echo null > "$work/figures.json"

if command -v python3 > /dev/null && python3 -c 'import torch' 2> /dev/null; then
  part torch 80 python3 benchmarks/compare/torch_gpu.py --ossau "$bundle/bin/gpu_gradient_bench" \
    --only rows=1024 --out "$work/torch_figures.json"
else
  skip torch "PyTorch is not installed"
fi
[[ -s $work/torch_figures.json ]] || echo null > "$work/torch_figures.json"

mkdir -p -- "$(dirname -- "$out")"
{
  printf '{"date": "%s", "commit": "%s", "gpu": "%s", "command": "scripts/gpu_check.sh",\n' \
    "$(date -u +%F)" "$(cat "$bundle/commit")" "$(head -n 1 <<< "$smi")"
  for name in tests same_model memcheck racecheck benchmark torch; do
    printf '"%s": %s,\n' "$name" "$(cat "$work/$name.json")"
  done
  printf '"doctor": %s,\n' "$(cat "$work/doctor.json")"
  printf '"figures": %s,\n' "$(cat "$work/figures.json")"
  printf '"torch_figures": %s}\n' "$(cat "$work/torch_figures.json")"
} > "$out"
say "everything is in $out"
exit "$failed"
