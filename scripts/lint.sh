#!/usr/bin/env bash
# Looks at the sources and changes nothing.
#   scripts/lint.sh           everything below
#   scripts/lint.sh format    clang-format
#   scripts/lint.sh shell     shellcheck
#   scripts/lint.sh tidy      clang-tidy; files that passed and have not changed are not read again
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

build=build/release
passed=build/tidy # one empty file for each input that passed
export build passed root

format() { cpp_files -print0 | xargs -0 clang-format-14 --dry-run --Werror; }

shell() { shellcheck -x -P scripts scripts/*.sh .ci/run recipes/*.sbatch; }

# The project's own files that each source includes, "SOURCE<tab>FILE" a line.
dependencies() {
  ninja -C "$build" -t deps | awk -v root="$root/" '
    /^[^ ]/ { source = ""; next }
    NF == 0 { next }
    {
      sub(/^ +/, "")
      sub(/^(\.\.\/)+/, "")
      if (index($0, root) == 1) $0 = substr($0, length(root) + 1)
      if ($0 ~ /^\//) next
      if (source == "") source = $0
      print source "\t" $0
    }'
}

# Everything that the verdict on FILE depends on, as one number.
key_of() {
  local file=$1
  {
    clang-tidy-14 --version
    find . -path ./build -prune -o -name .clang-tidy -exec cat {} +
    grep -F -B 3 "\"file\": \"$root/$file\"" "$build/compile_commands.json"
    awk -F '\t' -v file="$file" '$1 == file { print $2 }' "$passed/dependencies" | sort -u |
      tr '\n' '\0' | xargs -0 -r cat
  } | sha256sum | cut -d ' ' -f 1
}

tidy_one() {
  local file=$1 start=$SECONDS key output
  key=$(key_of "$file")
  [[ ! -e $passed/$key ]] || return 0
  if output=$(clang-tidy-14 --quiet -p "$build" "$file" 2>&1); then
    # Without known includes a change of one would go unseen.
    if grep -q "^$file	" "$passed/dependencies"; then : > "$passed/$key"; fi
    echo "ok      $file ($((SECONDS - start)) s)"
  else
    printf 'FAILED  %s\n%s\n' "$file" "$output"
    return 1
  fi
}
export -f key_of tidy_one

tidy() {
  configure release "$build" OSSAU_BUILD_TESTS=ON OSSAU_BUILD_BENCHMARKS=ON
  mkdir -p "$passed"
  dependencies > "$passed/dependencies"
  local sources
  mapfile -t sources < <(
    sed -n "s|^ *\"file\": \"$root/\(.*\.cpp\)\".*|\1|p" "$build/compile_commands.json" | sort -u
  )
  # shellcheck disable=SC2016  # the inner shell expands it
  printf '%s\0' "${sources[@]}" |
    xargs -0 -n 1 -P "$jobs" bash -euo pipefail -c 'tidy_one "$1"' tidy
}

scripts/install_dependencies.sh --tests --lint
case ${1-everything} in
  everything)
    format
    shell
    tidy
    ;;
  format | shell | tidy) "$1" ;;
  *) fail "unknown argument $1 (format, shell or tidy)" ;;
esac
