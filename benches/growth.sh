#!/usr/bin/env bash
# How the cost of a call grows: with rows, dimensions, partitions, examples and sample_size, each by itself, the others being 1,000,000 rows of
# 512 dimensions in one table, one example, 1000 rows sampled. Prints one table: the median in ms, and how many times that is the line above
# for how many times the size. Warm caches; every call draws other rows.
#
# usage: benches/growth.sh        (called by scripts/bench.sh; ROWS=50000 takes a smaller table, RUNS=5 fewer runs)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
# shellcheck source=benches/lib.sh
. "$ROOT/benches/lib.sh"
start_bench

rows=${ROWS:-1000000} runs=${RUNS:-11}

# load TABLE ROWS DIMENSIONS PARTITIONS: sums of two of a thousand random vectors round a common mean.
load() {
    local partitions='' i
    if [ "$4" -gt 1 ]; then
        for ((i = 0; i < $4; i++)); do
            partitions+="CREATE TABLE $1_$i PARTITION OF $1 FOR VALUES WITH (MODULUS $4, REMAINDER $i);"
        done
    fi
    sql -c "DROP TABLE IF EXISTS base, $1" -c "SELECT setseed(0.5)" \
        -c "CREATE TABLE base AS SELECT i AS id, array_agg(random() - 0.4)::vector($3) AS v FROM generate_series(1, 1000) i, generate_series(1, $3) GROUP BY i" \
        -c "CREATE TABLE $1 (id bigint, v vector($3)) $([ "$4" -gt 1 ] && echo "PARTITION BY HASH (id)")" -c "$partitions" \
        -c "INSERT INTO $1 SELECT row_number() OVER (), a.v + b.v FROM base a, base b LIMIT $2" \
        -c "VACUUM ANALYZE $1" -c "SELECT count(vector_norm(v)) FROM $1" >/dev/null 2>&1
}

# call TABLE EXAMPLES SAMPLE_SIZE: the median in ms of calls with other seeds, after as many to warm up.
call() {
    sql -c "SET client_min_messages = notice" -c "DO \$\$ DECLARE examples vector[]; start timestamptz; BEGIN
        SELECT array_agg(v + v) INTO examples FROM (SELECT a.v - b.v AS v FROM base a, base b WHERE a.id < b.id LIMIT $2) e;
        FOR seed IN 1..2 * $runs LOOP
            start := clock_timestamp();
            PERFORM hinted_exemplar('$1', 'v', exemplars => examples, sample_size => $3, seed => seed);
            IF seed > $runs THEN RAISE NOTICE 'ms %', extract(epoch FROM clock_timestamp() - start) * 1000; END IF;
        END LOOP;
    END \$\$" 2>&1 | sed -n 's/NOTICE: *ms //p' | median
}

before_ms='' before_size=''
show() { # WHAT SIZE MS
    local growth=-
    [ -z "$before_ms" ] || growth=$(awk -v t="$3" -v u="$before_ms" -v n="$2" -v m="$before_size" 'BEGIN { printf "%.2f for %.1f", t / u, n / m }')
    printf '%-14s %9s %10.2f   %s\n' "$1" "$2" "$3" "$growth"
    before_ms=$3 before_size=$2
}
next() { before_ms='' before_size=''; }

printf '%-14s %9s %10s   %s\n' "what grows" size "call ms" "times the cost"
for n in 10000 100000 "$rows"; do
    [ "$n" -le "$rows" ] || continue
    load t "$n" 512 1
    show rows "$n" "$(call t 1 1000)"
done
next
for n in 300 1000 10000 100000; do [ "$n" -gt "$rows" ] || show sample_size "$n" "$(call t 1 "$n")"; done
next
for n in 1 10 100 1000 5000; do show examples "$n" "$(call t "$n" 1000)"; done
next
for d in 128 384 768 1536; do
    load t $((rows < 100000 ? rows : 100000)) "$d" 1
    show dimensions "$d" "$(call t 1 1000)"
done
next
for p in 1 64 512; do
    load t $((rows < 100000 ? rows : 100000)) 128 "$p"
    show partitions "$p" "$(call t 1 1000)"
    sql -c "DROP TABLE t"
done
