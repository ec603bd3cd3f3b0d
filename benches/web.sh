#!/usr/bin/env bash
# The workbench as it is released, on the demo and on 200,000 rows: see web.py.
#
# usage: benches/web.sh PYTHON        (called by benches/server.sh)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
# shellcheck source=benches/lib.sh
. "$ROOT/benches/lib.sh"
run_logged "$LOGS/web-build.log" "building hinted-exemplar-web" "$ROOT/scripts/web_build.sh" --release
WORKBENCH=$("$ROOT/scripts/web_build.sh" --release --where)
export WORKBENCH
start_bench

large=$PGDATABASE demo=bench_demo
# Each row once: folding near duplicates would search twice.
step "200,000 rows with an HNSW index (its build takes a minute)"
sql -c "SELECT setseed(0.5)" -c "SET maintenance_work_mem = '1GB'" \
    -c "CREATE TABLE halves AS SELECT i AS id, array_agg(random() - 0.4)::vector(512) AS embedding FROM generate_series(1, 633) i, generate_series(1, 512) GROUP BY i" \
    -c "CREATE TABLE pairs AS SELECT row_number() OVER () AS id, l2_normalize(a.embedding + b.embedding)::vector(512) AS embedding FROM halves a, halves b WHERE a.id < b.id" \
    -c "CREATE INDEX ON pairs USING hnsw (embedding vector_ip_ops)" -c "ALTER TABLE pairs ADD PRIMARY KEY (id)" -c "VACUUM ANALYZE pairs" >/dev/null
createdb "$demo"
PGDATABASE=$demo "$ROOT/scripts/web_data.sh" 2>/dev/null
"$1" "$ROOT/benches/web.py" "$demo" "$large"
