#!/usr/bin/env bash
# Format of the Swift files, syntax of scripts and of Python.
set -euo pipefail
cd "$(dirname "$0")/.."
swift format lint --strict --parallel --recursive Package.swift Sources Tests
for script in .ci/run scripts/*.sh demo/*.sh Sources/pg_cloister/test/*.sh; do
    [[ ! -e $script ]] || bash -n "$script"
done
if command -v shellcheck >/dev/null; then shellcheck -S warning .ci/run scripts/*.sh demo/*.sh; fi
git ls-files -z '*.py' | xargs -0 -r .venv/bin/python -m py_compile
printf 'lint: clean\n'
