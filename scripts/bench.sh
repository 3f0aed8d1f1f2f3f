#!/usr/bin/env bash
# Starts a stack of its own, runs Benchmarks/bench.py in it, stops it. Arguments go to bench.py.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=.cloister/bench
port=${CLOISTER_BENCH_PORT:-6439}
stop() { .build/release/cloister dev down --dir "$dir" --purge >/dev/null || true; }
trap stop EXIT
.build/release/cloister dev up --dir "$dir" --port "$port" --config Benchmarks/columns.yaml
. "$dir/env"
.venv/bin/python Benchmarks/bench.py "$@"
