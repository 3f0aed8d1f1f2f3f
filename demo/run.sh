#!/usr/bin/env bash
# The demo: a private stack, real data through the proxy with psql, and a tour. CLOISTER_DEMO_KEEP=1 leaves the stack running.
set -euo pipefail
cd "$(dirname "$0")/.."

cloister=${CLOISTER:-.build/release/cloister}
dir=${CLOISTER_DEMO_DIR:-.cloister/demo}
data=.cloister/demo-data
say() { printf '\n=== %s\n' "$*"; }
free_port() { # the wished one if it is free, else any
    .venv/bin/python - "$1" <<'PY'
import socket, sys
for port in (int(sys.argv[1]), 0):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(probe.getsockname()[1])
        break
PY
}
finish() {
    local status=$?
    if [[ ${CLOISTER_DEMO_KEEP:-} == 1 ]]; then
        printf '\nThe stack runs: . %s/env; psql. Stop it with: %s dev down --dir %s\n' "$dir" "$cloister" "$dir"
    else
        "$cloister" dev down --dir "$dir" || true
        ((status != 0)) || printf 'Play with it: make up DIR=%s CONFIG=demo/columns.yaml; . %s/env; psql\n' "$dir" "$dir"
    fi
    exit $status
}

say "a stack of its own: PostgreSQL 15, enclave on its TEE, proxy"
"$cloister" dev down --dir "$dir"
trap finish EXIT
"$cloister" dev up --dir "$dir" --port "$(free_port "${PORT:-6432}")" --config demo/columns.yaml
"$cloister" dev status --dir "$dir"
# shellcheck source=/dev/null
. "$dir/env"

say "the Lahman baseball database, loaded through the proxy with psql"
[[ -s $data/batting.csv ]] || .venv/bin/python demo/prepare.py "$data"
run() { psql -X -q -v ON_ERROR_STOP=1 "$@"; }
export PGOPTIONS="-c client_min_messages=warning"
run -c 'DROP TABLE IF EXISTS people, salaries, batting'
run -f demo/schema.sql
(cd "$data" && time run -f ../../demo/load.sql)
say "indexes on encrypted columns"
time run -f demo/indexes.sql
psql -X -c '\d people'

say "the tour"
.venv/bin/python demo/tour.py
