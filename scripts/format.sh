#!/usr/bin/env bash
# Formats every C++ file in place; `scripts/lint.sh format` only looks.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

scripts/install_dependencies.sh --lint
cpp_files -print0 | xargs -0 clang-format-14 -i
