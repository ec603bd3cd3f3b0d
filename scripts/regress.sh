#!/usr/bin/env bash
# Runs each tests/sql/NAME.sql in a database of its own and compares what psql prints with tests/sql/NAME.out (or NAME_1.out, ...,
# where another version of Postgres rightly prints something else). The server is the one that the environment points to.
#
# usage: scripts/regress.sh [NAME...]        (UPDATE=1 writes NAME.out instead)

# shellcheck source=scripts/lib.sh
connection="PGHOST=${PGHOST:-} PGPORT=${PGPORT:-} PGUSER=${PGUSER:-}"
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck disable=SC2163,SC2086  # three assignments
export $connection

TESTS=$ROOT/tests/sql
RESULTS=${CARGO_TARGET_DIR:-$ROOT/target}/regress
export PGTZ=UTC PGDATESTYLE=ISO LC_ALL=C PGOPTIONS='-c intervalstyle=postgres'

# run_test NAME: what psql prints goes to RESULTS/NAME.out; fails only if psql can't go on, as when the server crashes.
run_test() {
    dropdb --if-exists --force "regress_$1" 2>/dev/null
    createdb "regress_$1" || return 1
    # Read from standard input, psql puts no file names into its messages.
    timeout --foreground 600 psql -X -q -a -d "regress_$1" -v HIDE_TABLEAM=on -v HIDE_TOAST_COMPRESSION=on \
        <"$TESTS/$1.sql" >"$RESULTS/$1.out" 2>&1 || return 1
    dropdb --force "regress_$1"
}

# missing_for NAME: the extensions that the test's first line requires and that this Postgres has not.
missing_for() {
    local extension
    for extension in $(sed -n '1s/^-- requires: //p' "$TESTS/$1.sql"); do
        psql -X -A -t -d postgres -c "SELECT '$extension' WHERE NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = '$extension')"
    done | paste -sd ' '
}

# expected_of NAME: the expected output that is the same, else the main one.
expected_of() {
    local candidate
    for candidate in "$TESTS/$1.out" "$TESTS/$1"_[0-9].out; do
        if cmp -s "$candidate" "$RESULTS/$1.out"; then echo "$candidate"; return; fi
    done
    echo "$TESTS/$1.out"
}

passed=0 failed=0
mkdir -p "$RESULTS"
if [ $# = 0 ]; then
    for file in "$TESTS"/*.sql; do
        [ ! -e "$file" ] || set -- "$@" "$(basename "$file" .sql)"
    done
fi
for name; do
    since=$EPOCHREALTIME
    missing=$(missing_for "$name")
    if [ -n "$missing" ]; then
        printf 'regress %-28s skipped: no %s here\n' "$name" "$missing"
        continue
    fi
    if ! run_test "$name"; then
        verdict="FAILED (psql or the server gave up)"
        tail -n 5 "$RESULTS/$name.out" 2>/dev/null | sed 's/^/    | /' || true
    elif [ -n "${UPDATE:-}" ]; then
        verdict=ok
        if ! cmp -s "$RESULTS/$name.out" "$(expected_of "$name")"; then
            cp "$RESULTS/$name.out" "$TESTS/$name.out"
            verdict="ok (written)"
        fi
    elif diff -uN "$(expected_of "$name")" "$RESULTS/$name.out"; then
        verdict=ok
    else
        verdict=FAILED
    fi
    case $verdict in ok*) passed=$((passed + 1)) ;; *) failed=$((failed + 1)) ;; esac
    printf 'regress %-28s %s  (%s s)\n' "$name" "$verdict" "$(elapsed "$since")"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
