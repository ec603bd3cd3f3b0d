#!/usr/bin/env bash
# Times how long it takes to draw 1000 negatives of a table that no cache has: the server is started anew and the system has forgotten its
# files. Beside it the same without asking for pages ahead, the same through the access method alone, the same rows fetched by a TID scan
# in SQL, and all of these with warm caches. Prints one table of medians.
#
# usage: benches/cold.sh        (called by scripts/bench.sh; SIZES="768:40000" chooses dimensions and rows, RUNS=7 how many runs)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
# shellcheck source=benches/lib.sh
. "$ROOT/benches/lib.sh"
start_bench

sizes=${SIZES:-384:100000 768:40000 1536:100000} runs=${RUNS:-7}
data=$(sql -c "SHOW data_directory")

load() { # DIMENSIONS ROWS
    sql -c "DROP TABLE IF EXISTS cold, places, parts" \
        -c "SELECT setseed(0.5)" \
        -c "CREATE TABLE parts AS SELECT i, array_agg(random() - 0.4)::vector($1) AS v FROM generate_series(1, 400) i, generate_series(1, $1) GROUP BY i" \
        -c "CREATE TABLE cold (id bigint, v vector($1))" \
        -c "INSERT INTO cold SELECT row_number() OVER (), a.v + b.v FROM parts a, parts b LIMIT $2" \
        -c "VACUUM ANALYZE cold" \
        -c "CREATE TABLE places AS SELECT s, (SELECT array_agg(ctid) FROM (
                SELECT ctid FROM cold TABLESAMPLE BERNOULLI (least(100, 200000.0 / $2)) REPEATABLE (s) ORDER BY random() LIMIT 1000) r) AS tids
            FROM generate_series(1, $runs) s" >/dev/null 2>&1
}

forget() {
    sql -c CHECKPOINT
    "$ROOT/scripts/cluster.sh" restart bench >/dev/null 2>&1
    python3 "$ROOT/benches/evict.py" "$data/base"
    # A first connection reads the catalogs and loads the libraries.
    sql -c "SELECT vector_dims('[1]'::vector), extversion FROM pg_extension" -c "SELECT count(*) FROM pg_class, pg_attribute LIMIT 1" >/dev/null
}

# drawn SETTINGS SEED: one draw in ms. The fit on another table before it loads what is not of this table.
drawn() {
    PGOPTIONS="$1" sql -c "SELECT hinted_exemplar('parts', 'v', exemplar => (SELECT v FROM parts LIMIT 1), max_iter => 1)" \
        -c "SET client_min_messages = debug1" \
        -c "SELECT hinted_exemplar('cold', 'v', exemplar => (SELECT v FROM parts LIMIT 1), seed => $2, max_iter => 1)" 2>&1 >/dev/null |
        sed -n 's/.*drew .* in \(.*\) ms/\1/p' | tail -n 1
}

by_hand() {
    sql -c "SELECT sum(vector_norm(v)) FROM parts" -c "SET client_min_messages = notice" -c "DO \$\$ DECLARE places tid[]; start timestamptz; total float8; BEGIN
        SELECT tids INTO places FROM places WHERE s = $1;
        start := clock_timestamp();
        SELECT sum(vector_norm(v)) INTO total FROM cold WHERE ctid = ANY (places);
        RAISE NOTICE '%', extract(epoch FROM clock_timestamp() - start) * 1000;
    END \$\$" 2>&1 | sed -n 's/NOTICE: *//p'
}

row() { # WHAT COMMAND...: its median with cold and with warm caches, the seed being the last argument
    local what=$1 cold=() warm=() seed
    shift
    for ((seed = 1; seed <= runs; seed++)); do
        forget
        cold+=("$("$@" "$seed")")
        "$@" "$seed" >/dev/null
        warm+=("$("$@" "$seed")")
    done
    printf '%-10s %-9s %-34s %9.1f %9.1f\n' "$dimensions" "$rows" "$what" \
        "$(printf '%s\n' "${cold[@]}" | median)" "$(printf '%s\n' "${warm[@]}" | median)"
}

printf '%-10s %-9s %-34s %9s %9s\n' dimensions rows "1,000 rows" "cold ms" "warm ms"
for size in $sizes; do
    dimensions=${size%%:*} rows=${size##*:}
    load "$dimensions" "$rows"
    row "drawn" drawn ""
    row "drawn, none asked for ahead" drawn "-c effective_io_concurrency=0"
    row "drawn, through the access method" drawn "-c hinted_exemplar.read_pages=off"
    row "a TID scan in SQL" by_hand
done
