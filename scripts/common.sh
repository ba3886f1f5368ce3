# shellcheck shell=bash disable=SC2034  # its variables are read by those who source it
# What the scripts share; they source it under `set -e`
# and then stand in the top folder of the repository.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd -- "$root" || exit
jobs=$(nproc)

# Where ccache happens to be installed, one compiled object serves every checkout.
if command -v ccache > /dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_CUDA_COMPILER_LAUNCHER=ccache
  export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=true
fi

say() { printf '== %s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# configure PRESET FOLDER [NAME=VALUE]...: runs CMake unless FOLDER already has these values.
configure() {
  local preset=$1 folder=$2 setting missing=0 definitions=()
  shift 2
  for setting in "$@"; do
    definitions+=("-D$setting")
    grep -qs "^${setting%%=*}:[A-Z]*=${setting#*=}\$" "$folder/CMakeCache.txt" || missing=1
  done
  if ((missing)) || [[ ! -f $folder/build.ninja ]]; then
    cmake --preset "$preset" "${definitions[@]}"
  fi
}

# cpp_files FIND-ACTION: every C++ file of the project.
cpp_files() {
  local folder folders=()
  for folder in include src kernels tests benchmarks examples; do
    [[ ! -d $folder ]] || folders+=("$folder")
  done
  find "${folders[@]}" -type f \( -name '*.cpp' -o -name '*.hpp' -o -name '*.cu' -o -name '*.cuh' \) "$@"
}
