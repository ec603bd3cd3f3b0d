#!/usr/bin/env bash
# A table over three machines, by postgres_fdw: negatives come from all, the search runs in the shards' indexes, and the answer is that of
# one machine. Three private clusters stand for the machines. Rows are as wide as real ones: narrower ones are read otherwise.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [ -z "$(psql -X -A -t -d postgres -c "SELECT name FROM pg_available_extensions WHERE name = 'postgres_fdw'")" ]; then
    echo "skipped: no postgres_fdw here"
    finish
    exit
fi

end() {
    for name in coordinator shard1 shard2; do "$ROOT/scripts/cluster.sh" stop "$name"; done
    [ -z "${link_process:-}" ] || kill "$link_process" || true
    [ -z "${link:-}" ] || rm -rf "$link"
}
trap end EXIT
schema="CREATE EXTENSION hinted_exemplar CASCADE"
row="i, l2_normalize((SELECT array_agg(sin(i * (1 + k % 13 * 0.37) + k) + sin(k * 0.1)) FROM generate_series(1, 512) k)::vector)"
for name in coordinator shard1 shard2; do
    "$ROOT/scripts/cluster.sh" start "$name"
done
declare -A socket
for name in shard1 shard2 coordinator; do
    reach=$("$ROOT/scripts/cluster.sh" env "$name")
    eval "$reach"
    socket[$name]=$PGHOST
done
on() { PGHOST=${socket[$1]} PGDATABASE=$1 query "$2"; }
for name in shard1 shard2; do
    on "$name" "CREATE EXTENSION vector;
        CREATE TABLE images (id int, embedding vector(512));
        INSERT INTO images SELECT $row FROM generate_series(1, 9000) i WHERE i % 3 = ${name#shard};
        CREATE INDEX ON images USING hnsw (embedding vector_ip_ops);"
    on "$name" "VACUUM ANALYZE images"
done
query "$schema; CREATE EXTENSION postgres_fdw;
    CREATE TABLE images (id int, embedding vector(512)) PARTITION BY LIST ((id % 3));
    CREATE TABLE images0 PARTITION OF images FOR VALUES IN (0);
    INSERT INTO images SELECT $row FROM generate_series(1, 9000) i WHERE i % 3 = 0;
    CREATE INDEX ON images0 USING hnsw (embedding vector_ip_ops);
    CREATE TABLE one_machine AS SELECT $row FROM generate_series(1, 9000) i;
    ALTER TABLE one_machine RENAME i TO id;
    ALTER TABLE one_machine RENAME l2_normalize TO embedding"
for name in shard1 shard2; do
    query "CREATE SERVER $name FOREIGN DATA WRAPPER postgres_fdw
               OPTIONS (host '${socket[$name]}', port '$PGPORT', dbname '$name', extensions 'vector', async_capable 'true', fetch_size '2000',
                   options '-c cursor_tuple_fraction=0.001 -c hnsw.ef_search=100');
           CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (user 'postgres');
           CREATE FOREIGN TABLE images_$name PARTITION OF images FOR VALUES IN (${name#shard}) SERVER $name OPTIONS (table_name 'images')"
done

fit() { echo "hinted_exemplar('$1', 'embedding', exemplar => (SELECT embedding FROM one_machine WHERE id = 42), hint => (SELECT embedding FROM one_machine WHERE id = 77), sample_size => $2)"; }
search() { echo "SELECT id FROM images ORDER BY embedding <#> (SELECT $1) LIMIT 10"; }
exact() { echo "SELECT id FROM one_machine ORDER BY embedding <#> (SELECT $1) LIMIT 10"; }

check "before ANALYZE, a sample of the first rows of each shard" [ "$(query "SELECT vector_dims($(fit images 300))")" = 512 ]
check "the negatives are all rows of all machines" is_true "$(fit images 20000) <=> $(fit one_machine 20000) < 1e-6"
query "ANALYZE images_shard1; ANALYZE images_shard2; ANALYZE images0" >/dev/null
check "after ANALYZE too, by their places" is_true "$(fit images 20000) <=> $(fit one_machine 20000) < 1e-6"
check "the same seed gives the same bits" is_true "$(fit images 300) = $(fit images 300)"
sent=$(PGOPTIONS='-c client_min_messages=debug1' psql -X -q -c "SELECT $(fit images 300)" 2>&1 | grep -c 'drew 300 rows' || true)
check "300 are drawn when 300 are wanted" [ "$sent" = 1 ]

plan=$(query "EXPLAIN (VERBOSE, COSTS OFF) $(search "$(fit images 300)")")
check "the shards are asked for their nearest rows" [ "$(grep -c 'Remote SQL: .*ORDER BY (embedding OPERATOR(public.<#>) ' <<<"$plan")" = 2 ]
check "and the answers are merged" grep -q 'Merge Append' <<<"$plan"
check "the fit runs once, on the coordinator" [ "$(grep -c 'InitPlan' <<<"$plan")" -ge 1 ]
# The shards log how they answer.
for name in shard1 shard2; do
    on "$name" "ALTER SYSTEM SET session_preload_libraries = 'auto_explain'"
    PGHOST=${socket[$name]} PGDATABASE=$name psql -X -q -c "LOAD 'auto_explain'" -c "ALTER SYSTEM SET auto_explain.log_min_duration = 0"
    on "$name" "SELECT pg_reload_conf()" >/dev/null
done
found=$(query "$(search "$(fit images 300)")")
for name in shard1 shard2; do
    check "$name answers by its HNSW index" grep -q 'Index Scan using images_embedding_idx' "$("$ROOT/scripts/cluster.sh" log "$name")"
done
check "the rows found are those of one machine" [ "$found" = "$(query "$(exact "$(fit images 300)")")" ]
check "with a view of background rows at hand as source, too" [ "$(query "
    CREATE MATERIALIZED VIEW background AS SELECT embedding FROM images WHERE id % 7 = 0;
    $(search "$(fit background 300)")")" = "$(query "$(exact "$(fit background 300)")")" ]
on shard1 "INSERT INTO images SELECT $row FROM generate_series(9001, 12000) i WHERE i % 3 = 1"
check "rows that ANALYZE has not seen do no harm" [ "$(query "SELECT vector_dims($(fit images 300))")" = 512 ]
on shard2 "TRUNCATE images"
check "nor does a shard that was emptied" [ "$(query "SELECT vector_dims($(fit images 300))")" = 512 ]

# Eight partitions of one server, and how many statements that is asked for: each waits for an answer.
on shard1 "ALTER SYSTEM SET log_statement = 'all'"
on shard1 "SELECT pg_reload_conf(); CREATE TABLE wide AS SELECT i % 8 AS part, i AS id, embedding FROM images, generate_series(0, 1) s, LATERAL (SELECT images.id * 2 + s) i(i)" >/dev/null
for part in 0 1 2 3 4 5 6 7; do on shard1 "CREATE TABLE wide$part AS SELECT id, embedding FROM wide WHERE part = $part"; done
on shard1 "VACUUM ANALYZE"
query "CREATE TABLE wide (id int, embedding vector(512)) PARTITION BY LIST ((id % 8))"
for part in 0 1 2 3 4 5 6 7; do
    query "CREATE FOREIGN TABLE wide$part PARTITION OF wide FOR VALUES IN ($part) SERVER shard1 OPTIONS (table_name 'wide$part'); ANALYZE wide$part"
done
statements() { # FITS...: how many statements a session with these calls sends
    local before after log
    log=$("$ROOT/scripts/cluster.sh" log shard1)
    before=$(grep -c 'LOG:  \(statement\|execute [^:]*\): ' "$log" || true)
    printf 'SELECT vector_dims(%s);\n' "$@" | psql -X -q -v ON_ERROR_STOP=1 >/dev/null
    after=$(grep -c 'LOG:  \(statement\|execute [^:]*\): ' "$log" || true)
    echo $((after - before))
}
one=$(statements "$(fit wide 1000)") two=$(statements "$(fit wide 1000)" "$(fit wide 999)")
echo "statements to one server for a fit over 8 partitions: $((two - one)), the first of a session $one"
check "a fit over eight partitions of a server asks six times at most" [ $((two - one)) -le 6 ]
check "all rows of all partitions are drawn where all are wanted" [ "$(query "SELECT sampled FROM hinted_exemplar_fit('wide', 'embedding', hint => (SELECT embedding FROM one_machine WHERE id = 77), exemplar => (SELECT embedding FROM one_machine WHERE id = 42), sample_size => 20000)")" \
    = "$(query "SELECT count(*) FROM wide WHERE embedding <#> (SELECT embedding FROM one_machine WHERE id = 42) > -0.999999")" ]

# The same over a link that takes ten milliseconds there and back. It counts how often an answer is waited for.
link=$(mktemp -d)
chmod 755 "$link"
python3 "$ROOT/tests/tools/slow_link.py" "$link/.s.PGSQL.$PGPORT" "${socket[shard1]}/.s.PGSQL.$PGPORT" 10 "$link/turns" &
link_process=$!
for _ in {1..100}; do [ -S "$link/.s.PGSQL.$PGPORT" ] || sleep 0.1; done
chmod 777 "$link/.s.PGSQL.$PGPORT"
query "CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw
           OPTIONS (host '$link', port '$PGPORT', dbname 'shard1', extensions 'vector', async_capable 'true', fetch_size '2000');
       CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user 'postgres');
       CREATE TABLE far (id int, embedding vector(512)) PARTITION BY LIST ((id % 8))"
for part in 0 1 2 3 4 5 6 7; do
    query "CREATE FOREIGN TABLE far$part PARTITION OF far FOR VALUES IN ($part) SERVER far OPTIONS (table_name 'wide$part'); ANALYZE far$part"
done
by_link() { # TABLE: round trips and milliseconds of the second fit of a session
    psql -X -q -A -t -v ON_ERROR_STOP=1 <<END
SELECT vector_dims($(fit "$1" 999)) \\g /dev/null
\\set before \`cat '$link/turns'\`
\\timing on
SELECT vector_dims($(fit "$1" 1000)) \\g /dev/null
\\timing off
\\set after \`cat '$link/turns'\`
SELECT :after - :before;
END
}
far=$(by_link far) near=$(by_link wide)
trips=$(tail -n 1 <<<"$far")
echo "a fit over 8 partitions of a server that answers after 10 ms: $trips round trips, $(head -n 1 <<<"$far"); of one that is near: $(head -n 1 <<<"$near")"
check "a fit over eight partitions takes six round trips at most" [ "$trips" -ge 1 -a "$trips" -le 6 ]
has_only=$(PGOPTIONS='' psql -X -q -A -t -c "SELECT vector_dims($(fit wide 3000))" 2>&1 | grep -c 'has only' || true)
check "what is not known to be all is not said to be" [ "$has_only" = 0 ]
"$ROOT/scripts/cluster.sh" stop shard2
check "a shard that is gone is an error" [ -n "$(query "SELECT $(fit images 300)" 2>&1 | grep -i 'shard2\|server closed\|could not connect' || true)" ]
finish
