#!/usr/bin/env bash
# Every test, with each supported Postgres: those that are installed with their server headers, and the others as scripts/postgres.sh gets
# them; on Debian on x86-64 the core's on arm64 too. Builds for them are kept apart. Prints a line for each.
#
# usage: scripts/test-all.sh [STAGE...]        (those of scripts/test.sh; PG_CONFIGS="/a/pg_config /b/pg_config" names the Postgres instead;
#                                               PGVECTORS="/a /b" are folders of pgvector's sources, of other versions to test with too)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

results=() failed=0
mkdir -p "$LOGS"

# config_of MAJOR: its pg_config, of the system's or of one that is got for this.
config_of() {
    local config
    for config in "/usr/lib/postgresql/$1/bin/pg_config" "/usr/pgsql-$1/bin/pg_config"; do
        if [ -x "$config" ] && [ -e "$("$config" --includedir-server)/postgres.h" ]; then echo "$config"; return; fi
    done
    "$ROOT/scripts/postgres.sh" "$1"
}

# test_with PG_CONFIG STAGE...: a line of what came out goes to results.
test_with() {
    local config=$1 major out verdict='' pgvector
    shift
    major=$(major_of "$config") out=$LOGS/test-$major.out
    step "$("$config" --version)"
    export PGVECTOR=${PGVECTOR:-}
    PG_CONFIG=$config CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}/pg$major "$ROOT/scripts/test.sh" "$@" | tee "$out" ||
        { verdict="  FAILED" failed=1; }
    pgvector=$(load_environment && sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$("$PG_PRIVATE" --sharedir)/extension/vector.control")
    results+=("$("$config" --version | cut -d' ' -f1,2), pgvector $pgvector: $(tail -n 1 "$out")$verdict")
}

# As many rows as tests/snapshot.sh is about; make test does with fewer.
export ROWS=${ROWS:-1000000}
if [ -n "${PG_CONFIGS:-}" ]; then
    for config in $PG_CONFIGS; do test_with "$config" "$@"; done
else
    for major in 15 16 17 18; do
        if config=$(config_of "$major"); then test_with "$config" "$@"; else results+=("PostgreSQL $major: skipped, it can't be had here"); fi
    done
fi
# What other versions of pgvector can change is SQL.
for folder in ${PGVECTORS:-}; do PGVECTOR=$folder test_with "$(config_of 15)" regress scripts; done
if [ $# = 0 ] && command -v dpkg-shlibdeps >/dev/null; then
    if PG_CONFIG=$(config_of 15) "$ROOT/scripts/rehearse.sh" | tee "$LOGS/rehearse.out"; then verdict=; else verdict="  FAILED" failed=1; fi
    results+=("the next release, rehearsed: $(tail -n 1 "$LOGS/rehearse.out")$verdict")
fi
if [ $# = 0 ] && [ "$(uname -m)" = x86_64 ] && grep -qx 'ID=debian' /etc/os-release; then
    if "$ROOT/scripts/arm64.sh" | tee "$LOGS/test-arm64.out"; then verdict=; else verdict="  FAILED" failed=1; fi
    results+=("arm64: $(grep '^test result' "$LOGS/test-arm64.out" || echo "no result")$verdict")
fi
echo
printf '%s\n' "${results[@]}"
exit "$failed"
