#!/bin/bash
# Makes a private cluster (as user postgres when run by root), runs pg_regress with the tests' evaluator and, where they are
# built, with cloister-tee and cloister-enclave; then the vector and liveness tests; and takes everything away again. The
# extension must be installed (make install).
#
# usage: test/run.sh [regress|liveness]      both by default
#   PORT     the cluster's port (default 21110)
#   PYTHON   a Python with cryptography, pytest and psycopg (default: .venv of the repository, else python3)
#   TEE      cloister-tee (default: the release build)
#   ENCLAVE  cloister-enclave (default: the static release build); empty: without the real enclave
#   KEEP=1   leaves the cluster's folder (stopped) for inspection
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
what=${1:-all}
bin=$(${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config} --bindir)
tee=${TEE-$root/.build/release/cloister-tee}
enclave=${ENCLAVE-$root/.build/enclave/release/cloister-enclave}
[ -n "${PYTHON:-}" ] || { PYTHON=$root/.venv/bin/python; [ -x "$PYTHON" ] || PYTHON=python3; }
export PYTHON PGPORT=${PORT:-21110} PGUSER=postgres PGDATABASE=postgres

folder=$(mktemp -d /tmp/ext-cloister-XXXXXX)
as_postgres=()
if [ "$(id -u)" = 0 ]; then
    chown postgres "$folder"
    as_postgres=(runuser -u postgres --)
fi
export PGHOST=$folder CLOISTER_TEST_FOLDER=$folder CLOISTER_TEST_SOCKET=$folder/enclave.sock
serving=
stop_serving() {
    [ -z "$serving" ] || { kill "$serving" && wait "$serving"; } 2>/dev/null || true
    serving=
}
finish() {
    stop_serving
    (cd / && "${as_postgres[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1) || true
    [ -n "${KEEP:-}" ] || rm -rf "$folder"
}
trap finish EXIT

# serve COMMAND...: starts what answers at the socket; returns when it has said that it is ready.
serve() {
    stop_serving
    "$@" > "$folder/ready" &
    serving=$!
    read -r _ < "$folder/ready"
}
regress() {
    make -s -C "$here/.." installcheck TEST_PYTHON="$PYTHON" REGRESS_ENCLAVE="$*" || { cat "$here/out/regression.diffs" 2>/dev/null; exit 1; }
}

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

if [ "$what" != liveness ] && [ -x "$enclave" ] && [ -x "$tee" ]; then
    echo "with cloister-enclave:"
    serve "$tee" run --enclave "$enclave" --socket "$CLOISTER_TEST_SOCKET" --state-dir "$folder/tee" --allow-mlock
    "$PYTHON" "$here/release.py"
    regress match collate aggregate
    "$PYTHON" "$here/check_results.py" "$here/out/results.txt"
fi
serve "$PYTHON" "$here/evaluator.py" "$CLOISTER_TEST_SOCKET"
if [ "$what" != liveness ]; then
    echo "with the tests' evaluator:"
    regress
fi
if [ "$what" != regress ]; then
    "$PYTHON" -m pytest -q -p no:cacheprovider "$here/test_vectors.py" "$here/test_update.py" "$here/test_liveness.py"
fi
