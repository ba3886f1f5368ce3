#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that are missing; where none is, it does nothing.
#   scripts/install_dependencies.sh           what the build needs
#   scripts/install_dependencies.sh --tests   and what the tests need
#   scripts/install_dependencies.sh --lint    and what lint.sh and format.sh need
set -euo pipefail

packages=(
  g++ cmake ninja-build pkg-config
  libyaml-cpp-dev libcli11-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libhwy-dev
  zlib1g-dev libzstd-dev libssl-dev
)
for argument in "$@"; do
  case $argument in
    --tests) packages+=(libgtest-dev libgmock-dev libbenchmark-dev) ;;
    # One fixed version: what is well formatted must not depend on the machine.
    --lint) packages+=(clang-tidy-14 clang-format-14 shellcheck) ;;
    -h | --help)
      sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *)
      echo "error: unknown argument $argument (see --help)" >&2
      exit 2
      ;;
  esac
done

if ! command -v apt-get > /dev/null; then
  echo "error: this system has no apt-get; install by hand what Debian calls: ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  # shellcheck disable=SC2016  # the format is dpkg-query's, not the shell's
  dpkg-query -W -f '${db:Status-Status}\n' "$package" 2> /dev/null | grep -x installed > /dev/null ||
    missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=(env)
if ((EUID != 0)); then
  if ! command -v sudo > /dev/null; then
    echo "error: neither root nor sudo; ask for these packages: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo env)
fi

apt=("${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
echo "== installing ${missing[*]}"
"${apt[@]}" update
"${apt[@]}" install -y --no-install-recommends "${missing[@]}"
