#!/usr/bin/env bash
# The tests under AddressSanitizer and UndefinedBehaviorSanitizer, in a build of its own.
# Usage: [PYTHON=.venv/bin/python] tests/sanitize.sh [pytest arguments; by default every test]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python="${PYTHON:-.venv/bin/python}"
compiler="${CC:-gcc}"
build=build/sanitize
sanitizers=address,undefined

rm -rf "$build/engine"
mkdir -p "$build"
cp -r engine "$build/engine"
rm -f "$build"/engine/leadline/_kernels*.so "$build"/engine/leadline/_capture*.so
LEADLINE_SANITIZE="$sanitizers" "$python" setup.py -q build_ext --force \
    --build-lib "$build/engine" --build-temp "$build/objects"
"$python" setup.py -q egg_info --egg-base "$build/engine" # the version that tests ask for

# The interpreter is not instrumented, so the run-time libraries come first by preloading; the C++
# library too, or exceptions of other extension modules cannot be intercepted. Leaks of the
# interpreter itself are not ours to report.
preload="$("$compiler" -print-file-name=libasan.so) $("$compiler" -print-file-name=libstdc++.so.6)"
# No fake stack (detect_stack_use_after_return): GCC before 14 aligns it to 32 bytes, and registers of
# 64 bytes that are kept there fault (GCC bug 110027).
export ASAN_OPTIONS=detect_leaks=0:strict_string_checks=1:detect_stack_use_after_return=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export PYTHONPATH="$PWD/$build/engine"
LD_PRELOAD="$preload" exec "$python" -m pytest -p no:cacheprovider "$@"
