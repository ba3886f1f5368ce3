#!/usr/bin/env bash
# Looks at the sources and changes nothing.
#   scripts/lint.sh           everything below
#   scripts/lint.sh format    clang-format
#   scripts/lint.sh shell     shellcheck
#   scripts/lint.sh tidy      clang-tidy; files that passed and have not changed are not read again, in
#                             any checkout
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

build=build/release
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ossau
passed=$cache/tidy # one empty file for each input that passed
# One fixed version, from PyPI: those of Debian 12 take every check through the standard library too,
# which is two to three times the time.
clang_tidy_version=23.1.4
clang_tidy=$cache/clang-tidy-$clang_tidy_version/bin/clang-tidy
export build passed root clang_tidy

format() { cpp_files -print0 | xargs -0 clang-format-14 --dry-run --Werror; }

shell() { shellcheck -x -P scripts scripts/*.sh .ci/run recipes/*.sbatch; }

install_clang_tidy() {
  [[ ! -x $clang_tidy ]] || return 0
  say "installing clang-tidy $clang_tidy_version"
  local folder=${clang_tidy%/bin/*}
  /usr/bin/python3 -m venv --clear "$folder"
  "$folder/bin/pip" install -q --disable-pip-version-check "clang-tidy==$clang_tidy_version"
}

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
    "$clang_tidy" --version
    find . -path ./build -prune -o -name .clang-tidy -exec cat {} +
    grep -F -B 3 "\"file\": \"$root/$file\"" "$build/compile_commands.json" | sed "s|$root|.|g"
    awk -F '\t' -v file="$file" '$1 == file { print $2 }' "$build/tidy_dependencies" | sort -u |
      tr '\n' '\0' | xargs -0 -r cat
  } | sha256sum | cut -d ' ' -f 1
}

tidy_one() {
  local file=$1 start=$SECONDS key output
  key=$(key_of "$file")
  [[ ! -e $passed/$key ]] || return 0
  if output=$("$clang_tidy" --quiet -p "$build" "$file" 2>&1); then
    # Without known includes a change of one would go unseen.
    if grep -q "^$file	" "$build/tidy_dependencies"; then : > "$passed/$key"; fi
    echo "ok      $file ($((SECONDS - start)) s)"
  else
    printf 'FAILED  %s\n%s\n' "$file" "$output"
    return 1
  fi
}
export -f key_of tidy_one

tidy() {
  install_clang_tidy
  configure release "$build" OSSAU_BUILD_TESTS=ON OSSAU_BUILD_BENCHMARKS=ON
  mkdir -p "$passed"
  dependencies > "$build/tidy_dependencies"
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
