# shellcheck shell=bash
# What the end-to-end tests share: a database of their own on the cluster that the environment points to, and checks that count.

set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
export ROOT
PASSED=0 FAILED=0
export PGOPTIONS='-c client_min_messages=warning'

# new_database NAME: made anew, and left at the end of the test.
new_database() {
    dropdb --if-exists --force "$1" 2>/dev/null
    createdb "$1"
    export PGDATABASE=$1
}

# query SQL: the bare answer.
query() { psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"; }

# check WHAT COMMAND...: passes if the command succeeds.
check() {
    local what=$1
    shift
    if "$@"; then
        PASSED=$((PASSED + 1))
        echo "ok      $what"
    else
        FAILED=$((FAILED + 1))
        echo "FAILED  $what"
    fi
}

# quietly COMMAND...: what it says goes to the log in $place, and is shown where it fails.
# shellcheck disable=SC2154 # the test's own
quietly() { "$@" >"$place/log" 2>&1 </dev/null || { tail -n 30 "$place/log"; return 1; }; }

is_true() { [ "$(query "SELECT $1")" = t ]; }

finish() {
    echo "$PASSED passed, $FAILED failed"
    [ "$FAILED" = 0 ]
}
