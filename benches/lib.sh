#!/usr/bin/env bash
# What the benchmarks that need a server share. Sourced behind scripts/lib.sh.

# start_bench: a private cluster with the extension, unless the script that called this one has started it.
start_bench() {
    local reach
    load_environment
    if [ -z "${BENCH_STARTED:-}" ]; then
        "$ROOT/scripts/install.sh" private
        load_environment
        trap '"$ROOT/scripts/cluster.sh" stop bench' EXIT
        # All of it is to be cached by Postgres: a page from the system's cache costs ten times as much, by hand as well.
        SETTINGS="shared_buffers = ${SHARED_BUFFERS:-5GB}
autovacuum = off" "$ROOT/scripts/cluster.sh" start bench
        export BENCH_STARTED=1
    fi
    reach=$("$ROOT/scripts/cluster.sh" env bench)
    eval "$reach"
    sql -c "CREATE EXTENSION IF NOT EXISTS hinted_exemplar CASCADE" 2>/dev/null
}

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
