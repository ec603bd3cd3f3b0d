#!/usr/bin/env bash
# Times whole calls in SQL: sampling by table size, a call on a million rows beside the same done by a client, a hinted search beside
# a plain one through the same index, and the memory of a fit. Prints one figure per line: name, tab, value.
#
# usage: benches/server.sh PYTHON        (called by scripts/bench.sh)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
# shellcheck source=benches/lib.sh
. "$ROOT/benches/lib.sh"
start_bench

python=$1
scripts=$(mktemp -d)
writer=
end_writer() { [ -z "$writer" ] || { kill "$writer" && wait "$writer"; } 2>/dev/null || true; }
trap 'end_writer; rm -rf "$scripts"; "$ROOT/scripts/cluster.sh" stop bench' EXIT
runs=21

# latency TABLE QUERY: the median in ms of a query's last runs by pgbench, on one connection that has read all of the table before: the
# first time a connection touches a page costs more than all the rest.
latency() {
    cat >"$scripts/script.sql" <<END
\\if :first
SELECT sum(vector_norm(embedding)) FROM $1;
\\set first 0
\\endif
\\set seed random(1, 1000000)
\\set one random(1, 1000)
\\set other random(1, 1000)
$2
END
    rm -f "$scripts"/log.*
    PGOPTIONS="-c max_parallel_workers_per_gather=0 ${OPTIONS:-}" pgbench -n -M prepared -D first=1 -t $((3 * runs)) -f "$scripts/script.sql" \
        -l --log-prefix="$scripts/log" >/dev/null 2>"$scripts/errors" || { cat "$scripts/errors" >&2; return 1; }
    cut -d' ' -f3 "$scripts"/log.* | tail -n "$runs" | awk '{ print $1 / 1000 }' | median
}

one="(SELECT embedding FROM base WHERE id = :one)" other="(SELECT embedding FROM base WHERE id = :other)"
show() { printf '%s\t%s\n' "$1" "$2"; }

step "sampling, 512 dimensions"
SIZES=${SIZES:-512:10000 512:100000 512:1000000} "$ROOT/benches/sampling.sh" | awk 'NR > 1 { printf "sampling_%d\t%s\nsampling_by_hand_%d\t%s\n", $2, $4, $2, $5 }'

step "a whole call"
sql -c "ALTER TABLE base ADD PRIMARY KEY (id)" -c "CREATE TABLE few AS SELECT * FROM t LIMIT 10000" -c "VACUUM ANALYZE few"
show call "$(latency t "SELECT hinted_exemplar('t', 'embedding', exemplar => $one, hint => $other, seed => :seed);")"
show call_10000 "$(latency few "SELECT hinted_exemplar('few', 'embedding', exemplar => $one, hint => $other, seed => :seed);")"
show call_same_sample "$(latency t "SELECT hinted_exemplar('t', 'embedding', exemplar => $one, hint => $other);")"
step "the same by a client, and memory"
sql -c "DROP TABLE IF EXISTS wide, wide_base" \
    -c "CREATE TABLE wide_base AS SELECT i AS id, array_agg(random() - 0.4)::vector(1536) AS embedding FROM generate_series(1, 150) i, generate_series(1, 1536) GROUP BY i" \
    -c "CREATE TABLE wide AS SELECT a.embedding + b.embedding AS embedding FROM wide_base a, wide_base b" -c "VACUUM ANALYZE wide" >/dev/null
"$python" "$ROOT/benches/client.py"

step "searches through an HNSW index on 200,000 rows (its build takes a minute)"
sql -c "DROP TABLE IF EXISTS h" \
    -c "CREATE TABLE h AS SELECT row_number() OVER () AS id, l2_normalize(a.embedding + b.embedding)::vector(512) AS embedding FROM base a, base b WHERE a.id <= 447 AND b.id <= 448" \
    -c "SET maintenance_work_mem = '1GB'" -c "CREATE INDEX ON h USING hnsw (embedding vector_ip_ops)" -c "VACUUM ANALYZE h"
call="hinted_exemplar('h', 'embedding', exemplar => $one, hint => $other, seed => :seed"
show knn "$(latency h "SELECT id FROM h ORDER BY embedding <#> $one LIMIT 20;")"
show hinted "$(latency h "SELECT id FROM h ORDER BY embedding <#> $call) LIMIT 20;")"
show hinted_same_sample "$(latency h "SELECT id FROM h ORDER BY embedding <#> ${call/, seed => :seed/}) LIMIT 20;")"
show hinted_expand "$(latency h "SELECT id FROM h ORDER BY embedding <#> $call, expand => 10) LIMIT 20;")"
show hinted_expand_same_sample "$(latency h "SELECT id FROM h ORDER BY embedding <#> ${call/, seed => :seed/}, expand => 10) LIMIT 20;")"

step "the same while another connection writes 200 rows a second"
sql -c "CREATE TABLE written (i int)"
echo "INSERT INTO written VALUES (1);" >"$scripts/write.sql"
pgbench -n -R 200 -T 3600 -f "$scripts/write.sql" >/dev/null 2>&1 &
writer=$!
sleep 1
kept="SELECT id FROM h ORDER BY embedding <#> ${call/, seed => :seed/}) LIMIT 20;"
show knn_writes "$(latency h "SELECT id FROM h ORDER BY embedding <#> $one LIMIT 20;")"
show hinted_writes "$(latency h "$kept")"
show hinted_writes_aged "$(OPTIONS="-c hinted_exemplar.sample_max_age=1min" latency h "$kept")"
end_writer
writer=

step "clicks in the workbench, on the demo and on these rows"
"$ROOT/benches/web.sh" "$python" | tee "$LOGS/bench-web" >&2
