#!/usr/bin/env bash
# The workbench as it is released, on the demo and on 200,000 rows: see web.py.
#
# usage: benches/web.sh PYTHON        (called by benches/server.sh; by itself it makes the rows)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
# shellcheck source=benches/lib.sh
. "$ROOT/benches/lib.sh"
run_logged "$LOGS/web-build.log" "building hinted-exemplar-web" "$ROOT/scripts/web_build.sh" --release
WORKBENCH=$("$ROOT/scripts/web_build.sh" --release --where)
export WORKBENCH
start_bench

large=$PGDATABASE demo=bench_demo
if [ "$(sql -c "SELECT to_regclass('h') IS NULL")" = t ]; then
    step "200,000 rows with an HNSW index (its build takes a minute)"
    sql -c "SELECT setseed(0.5)" -c "SET maintenance_work_mem = '1GB'" \
        -c "CREATE TABLE parts AS SELECT i AS id, array_agg(random() - 0.4)::vector(512) AS embedding FROM generate_series(1, 448) i, generate_series(1, 512) GROUP BY i" \
        -c "CREATE TABLE h AS SELECT row_number() OVER () AS id, l2_normalize(a.embedding + b.embedding)::vector(512) AS embedding FROM parts a, parts b WHERE a.id < 448" \
        -c "CREATE INDEX ON h USING hnsw (embedding vector_ip_ops)" >/dev/null
fi
[ "$(sql -c "SELECT count(*) FROM pg_index WHERE indrelid = 'h'::regclass AND indisprimary")" = 1 ] || sql -c "ALTER TABLE h ADD PRIMARY KEY (id)" -c "VACUUM ANALYZE h"
createdb "$demo"
PGDATABASE=$demo "$ROOT/scripts/web_data.sh" 2>/dev/null
"$1" "$ROOT/benches/web.py" "$demo" "$large"
