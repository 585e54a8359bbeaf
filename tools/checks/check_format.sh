#!/usr/bin/env bash
# clang-format decides the layout: fails when a source file would look different after it.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v clang-format >/dev/null || { echo "clang-format is missing: apt-get install clang-format"; exit 1; }
git ls-files '*.h' '*.cc' | xargs -d '\n' clang-format --dry-run --Werror
