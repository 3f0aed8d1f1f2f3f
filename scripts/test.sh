#!/usr/bin/env bash
# Runs every suite to its end and tells at the end which passed; exits 1 if one did not.
set -uo pipefail
cd "$(dirname "$0")/.."
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
declare -a summary=()
failed=0

suite() { # suite NAME SECONDS COMMAND…
    local name=$1 limit=$2 start=$SECONDS status verdict
    shift 2
    printf '\n=== %s\n' "$name"
    timeout --kill-after=30 "$limit" "$@" 2>&1 | tee "$results/$name"
    status=${PIPESTATUS[0]}
    case $status in
        0) verdict=passed ;;
        124 | 137) verdict="FAILED (not done after $limit s)" ;;
        *) verdict="FAILED (exit $status)" ;;
    esac
    ((status == 0)) || failed=1
    summary+=("$(printf '%-12s %-32s %4d s  %s' "$name" "$verdict" $((SECONDS - start)) "$(tally "$name")")")
}

tally() { # the suite's own count, from its last lines
    tail -n 40 "$results/$1" | grep -oE 'Test run with [0-9]+ tests?.* (passed|failed)|[0-9]+ (passed|failed).* in [0-9.]+s|All [0-9]+ tests passed|[0-9]+ of [0-9]+ tests failed|Build of product.*complete' \
        | tail -n 1
}

suite lint 300 scripts/lint.sh
suite swift 1800 swift test --disable-xctest
suite helpers 900 swift build -c release --product proxy-harness
suite extension 600 Sources/pg_cloister/test/run.sh
suite integration 1800 .venv/bin/python -m pytest -q Tests/Integration --ignore Tests/Integration/test_generator.py
suite generator 700 .venv/bin/python -m pytest -q Tests/Integration/test_generator.py
suite attack 600 .venv/bin/python Tests/Attack

printf '\n=== summary\n'
printf '%s\n' "${summary[@]}"
exit $failed
