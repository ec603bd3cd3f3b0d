#!/usr/bin/env bash
# The main job on data that the repository ships, in a private throwaway cluster.
#
# usage: scripts/demo.sh        (KEEP=1 leaves the cluster running, with the data, for scripts/cluster.sh psql demo)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROOT/scripts/setup.sh"
lock_clone
load_environment

run_logged "$LOGS/build.log" "building the extension for PostgreSQL $PG_MAJOR" install_extension ||
    die "the build failed"

trap '"$ROOT/scripts/cluster.sh" stop demo' EXIT
"$ROOT/scripts/cluster.sh" start demo
reach=$("$ROOT/scripts/cluster.sh" env demo)
eval "$reach"

run_sql() { psql -X -q -v ON_ERROR_STOP=1 -v data="$ROOT/demo/data" -f "$ROOT/demo/$1"; }

load() {
    run_sql schema.sql && run_sql load.sql && run_sql searches.sql
}

run_logged "$LOGS/demo-load.log" "loading the demo's data" load || die "loading failed"
run_sql demo.sql
run_sql report.sql

if [ -n "${KEEP:-}" ]; then
    trap - EXIT
    say ""
    say "The cluster is kept: make psql opens it, make stop ends it. From elsewhere:"
    say "    psql -h $PGHOST -p $PGPORT -U $PGUSER $PGDATABASE"
fi
