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

is_true() { [ "$(query "SELECT $1")" = t ]; }

finish() {
    echo "$PASSED passed, $FAILED failed"
    [ "$FAILED" = 0 ]
}
