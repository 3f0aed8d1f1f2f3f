#!/bin/bash
# Makes a private cluster (as user postgres when run by root), starts the evaluator of the tests, runs pg_regress and the
# vector and liveness tests, and takes everything away again. The extension must be installed (make install).
#
# usage: test/run.sh [regress|liveness]      both by default
#   PORT     the cluster's port (default 21110)
#   PYTHON   a Python with cryptography, pytest and psycopg (default: .venv of the repository, else python3)
#   ENCLAVE  a folder with cloister-tee and cloister-enclave (such as .build/debug): then they, and not the evaluator, serve
#            pg_regress; the liveness tests have evaluators of their own besides
#   KEEP=1   leaves the cluster's folder (stopped) for inspection
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
what=${1:-all}
bin=$(${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config} --bindir)
[ -n "${PYTHON:-}" ] || { PYTHON=$root/.venv/bin/python; [ -x "$PYTHON" ] || PYTHON=python3; }
export PYTHON PGPORT=${PORT:-21110} PGUSER=postgres PGDATABASE=postgres

folder=$(mktemp -d /tmp/ext-cloister-XXXXXX)
as_postgres=()
if [ "$(id -u)" = 0 ]; then
    chown postgres "$folder"
    as_postgres=(runuser -u postgres --)
fi
export PGHOST=$folder CLOISTER_TEST_FOLDER=$folder CLOISTER_TEST_SOCKET=$folder/enclave.sock
evaluator=
finish() {
    [ -z "$evaluator" ] || kill "$evaluator" 2>/dev/null || true
    (cd / && "${as_postgres[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1) || true
    [ -n "${KEEP:-}" ] || rm -rf "$folder"
}
trap finish EXIT

cd "$folder"
"${as_postgres[@]}" "$bin/initdb" -D "$folder/data" -U postgres -A trust -N --no-locale -E UTF8 >/dev/null
cat >> "$folder/data/postgresql.conf" <<CONF
port = $PGPORT
listen_addresses = ''
unix_socket_directories = '$folder'
fsync = off
autovacuum = off
max_prepared_transactions = 4
max_connections = 60
cloister.socket = '$CLOISTER_TEST_SOCKET'
CONF
"${as_postgres[@]}" "$bin/pg_ctl" -w -D "$folder/data" -l "$folder/log" start >/dev/null
chmod 755 "$folder"
mkfifo "$folder/ready"
if [ -n "${ENCLAVE:-}" ]; then
    "$ENCLAVE/cloister-tee" run --enclave "$ENCLAVE/cloister-enclave" --socket "$CLOISTER_TEST_SOCKET" \
        --state-dir "$folder/tee" --allow-mlock > "$folder/ready" &
else
    "$PYTHON" "$here/evaluator.py" "$CLOISTER_TEST_SOCKET" > "$folder/ready" &
fi
evaluator=$!
read -r _ < "$folder/ready"
[ -z "${ENCLAVE:-}" ] || "$PYTHON" "$here/release.py"

if [ "$what" != liveness ]; then
    make -s -C "$here/.." installcheck TEST_PYTHON="$PYTHON" || { cat "$here/out/regression.diffs" 2>/dev/null; exit 1; }
fi
if [ "$what" != regress ]; then
    "$PYTHON" -m pytest -q -p no:cacheprovider "$here/test_vectors.py" "$here/test_liveness.py"
fi
