#!/usr/bin/env bash
# Release build of all parts. Incremental: nothing happens when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'build: %s\n' "$*"; }
as_root=()
((EUID == 0)) || as_root=(sudo)

say "cloister, cloister-tee"
swift build -c release --product cloister
swift build -c release --product cloister-tee
say "cloister-enclave (static: what is measured is all the code there is)"
swift build -c release --product cloister-enclave -Xswiftc -static-executable -Xlinker --entry=cloister_start --scratch-path .build/enclave

say "extension"
make -s -C Sources/pg_cloister
library=$(pg_config --pkglibdir)
share=$(pg_config --sharedir)/extension
installed() {
    cmp -s Sources/pg_cloister/cloister.so "$library/cloister.so" || return 1
    for file in Sources/pg_cloister/cloister.control Sources/pg_cloister/cloister--*.sql; do
        cmp -s "$file" "$share/$(basename "$file")" || return 1
    done
}
installed || "${as_root[@]}" make -s -C Sources/pg_cloister install
