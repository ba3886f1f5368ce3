#!/usr/bin/env bash
# Builds and runs every benchmark; leaves benchmarks/results/DATE-PROCESSOR-CORES.json and prints it
# as tables.  Close other programs first.
#   scripts/bench.sh             a few minutes
#   scripts/bench.sh --quick     a smoke run in seconds with tiny data, into build/; proves nothing
#   scripts/bench.sh --publish   also renews benchmarks/README.md and docs/pictures/roofline.svg
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

bin=build/release/bin
results=benchmarks/results
page=benchmarks/README.md
flags=()
publish=0
for argument in "$@"; do
  case $argument in
    --quick)
      flags=(--quick)
      results=build/release/benchmarks/quick
      ;;
    --publish) publish=1 ;;
    -h | --help)
      sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) fail "unknown argument $argument (see --help)" ;;
  esac
done
if ((publish && ${#flags[@]})); then fail "--quick measures nothing that could be published"; fi

# The tables of the results file $1 between the two markers of the page.
renew_page() {
  "$bin/bench_report" --markdown "$1" > "$outputs/tables.md"
  awk -v tables="$outputs/tables.md" '
    /^<!-- figures end -->/ { inside = 0 }
    !inside
    /^<!-- figures begin/ {
      inside = 1
      print ""
      while ((getline line < tables) > 0) print line
      print ""
    }' "$page" > "$outputs/page.md"
  cp "$outputs/page.md" "$page"
}

scripts/install_dependencies.sh --tests
configure release build/release OSSAU_BUILD_BENCHMARKS=ON
cmake --build build/release --target ossau_benchmarks

outputs=$(mktemp -d)
trap 'rm -rf -- "$outputs"' EXIT
for program in gradient solver step update evaluation wake; do
  say "$program"
  "$bin/${program}_benchmark" "${flags[@]}" --benchmark_out="$outputs/$program.json" \
    > "$outputs/$program.txt" 2>&1 || fail "$(cat "$outputs/$program.txt")"
done

commit=$(git rev-parse --short HEAD 2> /dev/null || echo unknown)
modified=()
[[ -z $(git status --porcelain -- CMakeLists.txt cmake include src benchmarks/*.cpp \
  benchmarks/*.hpp 2> /dev/null) ]] || modified=(--modified)
file=$("$bin/bench_report" --merge "$outputs"/{gradient,solver,step,update,evaluation,wake}.json \
  --into "$results" --commit "$commit" "${modified[@]}")
"$bin/bench_report" --markdown "$file"

if ((publish)); then
  renew_page "$file"
  mkdir -p docs/pictures
  "$bin/bench_report" --roofline "$file" > docs/pictures/roofline.svg
fi
say "results are in $file"
