#!/usr/bin/env bash
# Every test. One stage's failure doesn't keep the others from running.
#
# usage: scripts/test.sh [STAGE...]        (format lints core server regress scripts; all of them if none is named)
# UPDATE=1 rewrites the expected outputs of the regression tests.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROOT/scripts/setup.sh"
lock_clone
load_environment
cd "$ROOT" || exit

PASSED=0 FAILED=0
SUMMARY=()
CLOSING=()

finish() {
    "$ROOT/scripts/cluster.sh" stop test
    "$ROOT/scripts/cluster.sh" stop pgrx
}
trap finish EXIT
finish

# stage NAME COUNT MESSAGE COMMAND...: COUNT is what counts the tests: the runner's closing lines (cargo), a line "N passed, N failed"
# (plain), or nothing: one check that passes or fails (check).
stage() {
    local name=$1 count=$2 message=$3 log=$LOGS/$1.log status=0 since=$EPOCHREALTIME passed=0 failed=0 line
    shift 3
    LOG_TAIL=200 run_logged "$log" "$message" "$@" || status=$?
    case $count in
    cargo)
        while IFS= read -r line; do
            CLOSING+=("$line")
            say "    $line"
            [[ $line =~ ([0-9]+)\ passed\;\ ([0-9]+)\ failed ]]
            passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
        done < <(grep -E '^test result: .* [1-9][0-9]* (passed|failed);' "$log" || true)
        ;;
    plain)
        line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1 || true)
        if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+) ]]; then
            passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
            say "    $line"
        else
            count=check
        fi
        ;;
    esac
    if [ "$count" = check ] && [ "$status" = 0 ]; then passed=1; fi
    # What does not compile has no test that failed.
    if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
    PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed))
    SUMMARY+=("$(printf '%-10s %4s passed, %s failed  %7s s' "$name" "$passed" "$failed" "$(elapsed "$since")")")
    return "$status"
}

format() {
    stage format check "format" cargo fmt --check
    stage versions check "one version everywhere" "$ROOT/scripts/set_version.sh" --check
    stage manual check "the manual's SQL is what is tested, its reference complete" "$ROOT/scripts/docs_sql.sh" --check
}

lints() {
    stage lints check "lints, of all crates" \
        cargo clippy --workspace --all-targets --no-default-features --features "pg$PG_MAJOR pg_test" -- -D warnings
}

core() {
    stage core cargo "the core's tests, without a server" cargo test -p exemplar-svm -p row-sampling
}

# The tests that run inside a server, in a cluster that pgrx starts; pgrx names them pg_*. The core's were run before.
server() {
    local place=$RUN/pgrx runas=()
    mkdir -p "$place"
    if is_root; then
        chown "$SERVER_USER" "$place"
        runas=(--runas "$SERVER_USER")
    fi
    # One at a time: they make tables of the same names in one database, and would wait for one another in a circle.
    RUST_TEST_THREADS=1 stage server cargo "tests inside a server" cargo pgrx test "pg$PG_MAJOR" ::pg_ "${runas[@]}" --pgdata "$place" --no-default-features
}

# For the stages that need the installed extension and a server; tried once only.
with_cluster() {
    local reach
    if [ -z "${CLUSTER:-}" ]; then
        CLUSTER=failed
        stage build check "building the extension as users get it" install_extension || return
        # A kept sample ends with any transaction that writes, also one that vacuums.
        if ! SETTINGS=$'autovacuum = off\n'"${SETTINGS:-}" "$ROOT/scripts/cluster.sh" start test; then FAILED=$((FAILED + 1)); return 1; fi
        reach=$("$ROOT/scripts/cluster.sh" env test)
        eval "$reach"
        CLUSTER=runs
    fi
    [ "$CLUSTER" = runs ]
}

regress() {
    with_cluster || return 0
    stage regress plain "SQL regression tests" env PG_CONFIG="$PG_PRIVATE" "$ROOT/scripts/regress.sh"
}

scripts() {
    local file
    with_cluster || return 0
    for file in "$ROOT"/tests/*.sh; do
        [ -x "$file" ] || continue
        stage "$(basename "$file" .sh)" plain "tests/${file##*/}" "$file"
    done
}

[ $# -gt 0 ] || set -- format lints core server regress scripts
since=$EPOCHREALTIME
for name; do
    case $name in
    format | lints | core | server | regress | scripts) "$name" || true ;;
    *) die "there is no stage \"$name\"" ;;
    esac
done

finish
trap - EXIT
echo
printf '%s\n' "${SUMMARY[@]}"
echo "all in $(elapsed "$since") s, with PostgreSQL $PG_MAJOR"
echo
[ ${#CLOSING[@]} = 0 ] || printf '%s\n' "${CLOSING[@]}"
echo "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ]
