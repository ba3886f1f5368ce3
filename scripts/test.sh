#!/usr/bin/env bash
# Installs what is missing, builds and tests; stops at the first stage that fails.
#   scripts/test.sh              every test that is not slow
#   scripts/test.sh --label L    the tests with label L (may be repeated; slow ones too)
#   scripts/test.sh --all        format, lint, every test, sanitizers, slow tests: what CI runs
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

all=0
labels=()
while (($#)); do
  case $1 in
    --all) all=1 ;;
    --label)
      (($# > 1)) || fail "--label needs a name, for example: scripts/test.sh --label ranks"
      labels+=("$2")
      shift
      ;;
    -h | --help)
      sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) fail "unknown argument $1 (see --help)" ;;
  esac
  shift
done
if ((all && ${#labels[@]})); then fail "--all runs every label; give one or the other"; fi

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

finished=()
summary() {
  say "summary"
  printf '   %s\n' "${finished[@]}"
}

# stage NAME COMMAND...: runs it and keeps its time for the summary.
stage() {
  local name=$1 start=$SECONDS code=0
  shift
  say "$name"
  # In a shell of its own, because inside `||` bash would not stop at a function's first failure.
  bash -euo pipefail -c 'source scripts/common.sh; "$@"' stage "$@" || code=$?
  if ((code)); then
    finished+=("FAILED  $name ($((SECONDS - start)) s)")
    summary
    exit 1
  fi
  finished+=("ok      $name ($((SECONDS - start)) s)")
}

build() {
  local preset=$1 folder=$2
  shift 2
  configure "$preset" "$folder" OSSAU_BUILD_TESTS=ON
  cmake --build "$folder" "$@"
}

run_tests() {
  local folder=$1
  shift
  ctest --test-dir "$folder" -j "$jobs" --output-on-failure --no-tests=error "$@"
}
export -f build run_tests

if ((all)); then
  stage "dependencies" scripts/install_dependencies.sh --tests --lint
  stage "format" scripts/lint.sh format
  stage "shell scripts" scripts/lint.sh shell
else
  stage "dependencies" scripts/install_dependencies.sh --tests
fi

if ((all)); then stage "configure" configure release build/release OSSAU_BUILD_BENCHMARKS=ON; fi
stage "build" build release build/release
if ((${#labels[@]})); then
  pattern=$(IFS='|' && echo "${labels[*]}")
  stage "tests labelled ${labels[*]}" run_tests build/release -L "^($pattern)\$"
else
  stage "tests" run_tests build/release -LE '^slow$'
fi

if ((all)); then
  stage "clang-tidy" scripts/lint.sh tidy
  stage "address and undefined behaviour: build" build asan-ubsan build/asan
  # `long` takes minutes under this sanitizer and nothing that other tests do not take; `nodes` mostly
  # waits, and its programs' parts are tested without a network.
  stage "address and undefined behaviour: tests" run_tests build/asan -LE '^(slow|long|nodes)$'
  stage "threads: build" build tsan build/tsan --target ossau_threaded_tests
  stage "threads: tests" run_tests build/tsan -L '^threads$' -LE '^slow$'
  stage "slow tests" run_tests build/release -L '^slow$'
fi
summary
