#!/usr/bin/env bash
# The workbench as it is released, on the demo and on 200,000 rows that lie as CLIP's do: see web.py and clip_like.py.
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
step "200,000 rows with an HNSW index (its build takes minutes)"
sql -c "CREATE TABLE clip (id bigint, path text, embedding vector(512))" -c "CREATE TABLE words (words text PRIMARY KEY, embedding vector(512))"
"$1" "$ROOT/benches/clip_like.py" rows | sql -c "COPY clip FROM STDIN (FORMAT binary)"
"$1" "$ROOT/benches/clip_like.py" texts | sql -c "COPY words FROM STDIN (FORMAT binary)"
sql -c "SET maintenance_work_mem = '1GB'" -c "ALTER TABLE clip ADD PRIMARY KEY (id)" -c "CREATE INDEX ON clip USING hnsw (embedding vector_ip_ops)" \
    -c "VACUUM ANALYZE clip"
createdb "$demo"
PGDATABASE=$demo "$ROOT/scripts/web_data.sh" 2>/dev/null
"$1" "$ROOT/benches/web.py" "$demo" "$large"
