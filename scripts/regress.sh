#!/usr/bin/env bash
# The SQL tests, tests/pg_regress/{sql,expected}, by Postgres' own pg_regress, each in a database of its own. The server is the one that
# the environment points to (PGHOST, PGPORT, PGUSER); it must have the extension. What differs is in target/regress/regression.diffs.
#
# usage: scripts/regress.sh [NAME...]        (UPDATE=1 takes what comes out as expected; PG_CONFIG names the Postgres of pg_regress)

# shellcheck disable=SC2034 # for lib.sh
USES_SERVER=yes
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

config=${PG_CONFIG:-$(command -v pg_config)} || die "no pg_config in the PATH: say which Postgres by PG_CONFIG=.../pg_config"
# That of another version does as well.
for regress in "$(dirname "$("$config" --pgxs)")/../test/regress/pg_regress" /usr/lib/postgresql/*/lib/pgxs/src/test/regress/pg_regress ''; do
    if [ -n "$(exec 2>/dev/null; "$regress" --version)" ]; then break; fi
done
[ -n "$regress" ] || die "$("$config" --version) has no pg_regress here: install its server development package"
TESTS=$ROOT/tests/pg_regress
RESULTS=${CARGO_TARGET_DIR:-$ROOT/target}/regress
DIFFS=$RESULTS/regression.diffs

# missing_for NAME: the extensions that the test's first line requires and that this Postgres has not.
missing_for() {
    local extension
    # shellcheck disable=SC2013  # words of one line
    for extension in $(sed -n '1s/^-- requires: //p' "$TESTS/sql/$1.sql"); do
        psql -X -A -t -d postgres -c "SELECT '$extension' WHERE NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = '$extension')"
    done | paste -sd ' '
}

run_test() {
    "$regress" --bindir="$("$config" --bindir)" --inputdir="$TESTS" --outputdir="$RESULTS/$1" --dbname="regress_$1" "$1" \
        >"$RESULTS/$1.log" 2>&1
}

# accept NAME: none of the expected outputs is that; fails if psql or the server gave up.
accept() {
    grep -q '(test process exited with exit code' "$RESULTS/$1.log" && return 1
    cp "$RESULTS/$1/results/$1.out" "$TESTS/expected/$1.out"
}

passed=0 failed=0 skipped=0
rm -rf "$RESULTS"
mkdir -p "$RESULTS"
psql -X -q -d postgres -c '' || die "no server could be reached: point PGHOST, PGPORT and PGUSER at one"
if [ $# = 0 ]; then
    for file in "$TESTS"/sql/*.sql; do set -- "$@" "$(basename "$file" .sql)"; done
fi
for name; do
    since=$EPOCHREALTIME
    missing=$(missing_for "$name")
    mkdir -p "$RESULTS/$name"
    if [ -n "$missing" ]; then
        verdict="skipped: no $missing here" skipped=$((skipped + 1))
    elif run_test "$name"; then
        verdict=ok passed=$((passed + 1))
    elif [ -n "${UPDATE:-}" ] && accept "$name"; then
        verdict="ok (written)" passed=$((passed + 1))
    else
        verdict=FAILED failed=$((failed + 1))
        cat "$RESULTS/$name/regression.diffs" 2>/dev/null || tail -n 20 "$RESULTS/$name.log"
    fi
    printf 'regress %-28s %s  (%s s)\n' "$name" "$verdict" "$(elapsed "$since")"
done
cat "$RESULTS"/*/regression.diffs >"$DIFFS" 2>/dev/null || true
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
