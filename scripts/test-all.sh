#!/usr/bin/env bash
# Every test, with each supported Postgres that is installed with its server headers, and on Debian on x86-64 the core's on arm64 too.
# Builds for them are kept apart.
#
# usage: scripts/test-all.sh        (PG_CONFIGS="/a/pg_config /b/pg_config" names them instead)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

configs=${PG_CONFIGS:-}
if [ -z "$configs" ]; then
    for major in 15 16 17 18; do
        for config in "/usr/lib/postgresql/$major/bin/pg_config" "/usr/pgsql-$major/bin/pg_config"; do
            [ -x "$config" ] && [ -e "$("$config" --includedir-server)/postgres.h" ] || continue
            configs="$configs $config"
            break
        done
    done
fi
# As many rows as tests/snapshot.sh is about; make test does with fewer.
export ROWS=1000000
[ -n "$configs" ] || die "no supported Postgres is installed with its server headers; make test installs one"

results=() failed=0
for config in $configs; do
    version=$("$config" --version)
    [[ $version =~ [0-9]+ ]]
    major=${BASH_REMATCH[0]}
    step "$version"
    if PG_CONFIG=$config CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}/pg$major "$ROOT/scripts/test.sh" | tee "$LOGS/test-$major.out"
    then verdict=; else verdict="  FAILED" failed=1; fi
    results+=("$version: $(tail -n 1 "$LOGS/test-$major.out")$verdict")
done
if [ "$(uname -m)" = x86_64 ] && grep -qx 'ID=debian' /etc/os-release; then
    if "$ROOT/scripts/arm64.sh" | tee "$LOGS/test-arm64.out"; then verdict=; else verdict="  FAILED" failed=1; fi
    results+=("arm64: $(grep '^test result' "$LOGS/test-arm64.out" || echo "no result")$verdict")
fi
echo
printf '%s\n' "${results[@]}"
exit "$failed"
