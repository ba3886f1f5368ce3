#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that are missing; where none is, it does nothing.
#   scripts/install_dependencies.sh             what the build needs
#   scripts/install_dependencies.sh --tests     and what the tests need
#   scripts/install_dependencies.sh --lint      and what lint.sh and format.sh need
#   scripts/install_dependencies.sh --runtime   only the shared libraries of the built program
#   scripts/install_dependencies.sh --list ...  names the packages and installs none
set -euo pipefail

packages=(
  g++ cmake ninja-build pkg-config
  libopenmpi-dev openmpi-bin libyaml-cpp-dev libcli11-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libhwy-dev
  zlib1g-dev libzstd-dev libssl-dev
)
runtime=0
list=0
more=0
for argument in "$@"; do
  case $argument in
    --tests)
      packages+=(libgtest-dev libgmock-dev libbenchmark-dev iproute2 nftables)
      more=1
      ;;
    # One fixed version: what is well formatted must not depend on the machine.
    --lint)
      packages+=(clang-format-14 shellcheck python3-venv) # lint.sh gets clang-tidy from PyPI
      more=1
      ;;
    --runtime) runtime=1 ;;
    --list) list=1 ;;
    -h | --help)
      sed -n '2,7s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *)
      echo "error: unknown argument $argument (see --help)" >&2
      exit 2
      ;;
  esac
done

if ((runtime && more)); then
  echo "error: --runtime is for machines that build nothing: no --tests, no --lint" >&2
  exit 2
fi

if ! command -v apt-get > /dev/null; then
  echo "error: this system has no apt-get; install by hand what Debian calls: ${packages[*]}" >&2
  exit 1
fi

# apt NAME-OF-COMMAND...: as root, or with a word on what is needed.
apt() {
  local as_root=(env)
  if ((EUID != 0)); then
    if ! command -v sudo > /dev/null; then
      echo "error: neither root nor sudo; ask for these packages: ${packages[*]}" >&2
      exit 1
    fi
    as_root=(sudo env)
  fi
  "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

# The libraries behind the -dev packages among `packages`.  Their names change from one release to
# the next (libhwy1, libhwy1t64), but a -dev package asks for its own library in its own version.
shared_libraries() {
  local package developing=()
  for package in "${packages[@]}"; do
    [[ $package != *-dev ]] || developing+=("$package")
  done
  apt-cache show --no-all-versions "${developing[@]}" | awk -v expected="${#developing[@]}" '
    /^Package: / { ++known }
    sub(/^Depends: /, "") {
      n = split($0, wanted, /, */)
      for (i = 1; i <= n; ++i)
        if (wanted[i] ~ / \(= / && wanted[i] !~ /-dev /) {
          sub(/[ :].*/, "", wanted[i])
          print wanted[i]
        }
    }
    END { exit known != expected }' | sort -u
}

if ((runtime)); then
  # A fresh container has no package lists at all.
  found=$(shared_libraries 2> /dev/null) || {
    apt update >&2
    found=$(shared_libraries)
  }
  mapfile -t packages <<< "$found"
  packages+=(libstdc++6)
fi
if ((list)); then
  printf '%s\n' "${packages[@]}"
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  # shellcheck disable=SC2016  # the format is dpkg-query's, not the shell's
  dpkg-query -W -f '${db:Status-Status}\n' "$package" 2> /dev/null | grep -x installed > /dev/null ||
    missing+=("$package")
done
((${#missing[@]})) || exit 0

packages=("${missing[@]}")
echo "== installing ${missing[*]}"
apt update
apt install -y --no-install-recommends "${missing[@]}"
