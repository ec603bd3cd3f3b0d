#!/usr/bin/env bash
# Times how long it takes to draw 1000 negatives, beside the same TID scan written by hand with the places given; prints one table.
#
# usage: benches/sampling.sh        (called by scripts/bench.sh; SIZES="128:10000 128:1000000" chooses dimensions and rows)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

# shellcheck source=benches/lib.sh
. "$ROOT/benches/lib.sh"
start_bench

sizes=${SIZES:-128:10000 128:100000 128:1000000 512:10000 512:100000 512:1000000 1536:10000 1536:100000}
runs=21

# Sums of two of a thousand random vectors round a common mean.
load() {
    sql -c "DROP TABLE IF EXISTS base, t, places" \
        -c "SELECT setseed(0.5)" \
        -c "CREATE TABLE base AS SELECT i AS id, array_agg(random() - 0.4)::vector($1) AS embedding
            FROM generate_series(1, 1000) i, generate_series(1, $1) GROUP BY i" \
        -c "CREATE TABLE t (id bigint, embedding vector($1))" \
        -c "INSERT INTO t SELECT row_number() OVER (), a.embedding + b.embedding FROM base a, base b LIMIT $2" \
        -c "VACUUM ANALYZE t" \
        -c "CREATE TABLE places AS SELECT s, (SELECT array_agg(ctid) FROM (
                SELECT ctid FROM t TABLESAMPLE BERNOULLI (least(100, 200000.0 / $2)) REPEATABLE (s) ORDER BY random() LIMIT 1000) r) AS tids
            FROM generate_series(1, $runs) s" \
        -c "SELECT count(vector_norm(embedding)) FROM t" >/dev/null 2>&1
}

printf '%-10s %-10s %-8s %-12s %-12s %-14s %s\n' dimensions rows blocks "sampling ms" "by hand ms" "/ by hand" "/ 10,000 rows"
for size in $sizes; do
    dimensions=${size%%:*} rows=${size##*:}
    load "$dimensions" "$rows"
    # Each run draws other rows than the one before; the first round warms the caches, of the connection too.
    drawn=$(sql -c "SET client_min_messages = debug1" \
        -c "SELECT hinted_exemplar('t', 'embedding', exemplar => array_fill(1, ARRAY[$dimensions])::vector, seed => s, max_iter => 1)
            FROM generate_series(1, 2), generate_series(1, $runs) s" 2>&1 >/dev/null | grep -o 'drew .* ms' | tail -n "$runs")
    sampling=$(sed 's/.* in \(.*\) ms/\1/' <<<"$drawn" | median)
    blocks=$(sed 's/.* of \(.*\) blocks.*/\1/' <<<"$drawn" | median)
    by_hand=$(sql -c "SET client_min_messages = notice" -c "DO \$\$ DECLARE p record; start timestamptz; total float8; BEGIN
            FOR i IN 1..2 LOOP
                FOR p IN SELECT tids FROM places ORDER BY s LOOP
                    start := clock_timestamp();
                    SELECT sum(vector_norm(embedding)) INTO total FROM t WHERE ctid = ANY (p.tids);
                    IF i = 2 THEN RAISE NOTICE '%', extract(epoch FROM clock_timestamp() - start) * 1000; END IF;
                END LOOP;
            END LOOP;
        END \$\$" 2>&1 | sed -n 's/NOTICE: *//p' | median)
    if [ "$rows" = 10000 ]; then first=$sampling; fi
    awk -v d="$dimensions" -v n="$rows" -v b="$blocks" -v s="$sampling" -v h="$by_hand" -v f="${first:-0}" \
        'BEGIN { printf "%-10d %-10d %-8d %-12.2f %-12.2f %-14.2f %s\n", d, n, b, s, h, s / h, f ? sprintf("%.2f", s / f) : "-" }'
done
