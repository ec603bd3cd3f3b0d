#!/usr/bin/env bash
# Negatives of tables that Citus has distributed. CITUS names the folder of an installation: `make install DESTDIR=folder`.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/engine.sh
. "$ROOT/tests/engine.sh"

if [ -z "${CITUS:-}" ]; then
    echo "skipped: CITUS does not name an installation of Citus"
    finish
    exit
fi
start_engine citus "$CITUS"

# A second machine. Both have shards; what is created on the coordinator Citus creates there too.
SETTINGS=$ENGINE_SETTINGS "$ROOT/scripts/cluster.sh" start citus-worker
worker=$(eval "$("$ROOT/scripts/cluster.sh" env citus-worker)" && echo "$PGHOST")
database=$PGDATABASE
PGHOST=$worker PGDATABASE=postgres query "CREATE DATABASE $database"
PGHOST=$worker query "CREATE EXTENSION citus"
for host in "$PGHOST" "$worker"; do
    PGHOST=$host query "ALTER SYSTEM SET citus.local_hostname = '$host'"
    PGHOST=$host query "SELECT pg_reload_conf()" >/dev/null
done
query "SELECT pg_sleep(0.2)" >/dev/null
query "SELECT citus_set_coordinator_host('$PGHOST', $PGPORT); SELECT citus_set_node_property('$PGHOST', $PGPORT, 'shouldhaveshards', true)" >/dev/null
query "SELECT citus_add_node('$worker', $PGPORT)" >/dev/null
on_worker() { PGHOST=$worker query "$1"; }

# Rows point where their month says, so that the answer shows which months were seen.
row="i AS id, (i - 1) * 12 / 60000 AS month, ARRAY[cos((i - 1) * 12 / 60000), sin((i - 1) * 12 / 60000), 0.001 * (i % 97) + 0.01]::vector(3) AS v"
query "CREATE TABLE items AS SELECT $row FROM generate_series(1, 60000) i;
       CREATE TABLE local AS SELECT * FROM items"
query "SET citus.shard_count = 32; SELECT create_distributed_table('items', 'id')" >/dev/null
all="hinted_exemplar('SOURCE', 'v', exemplar => '[1,0.5,0.2]', sample_size => 100000)"
same_as_local() { is_true "${all/SOURCE/$1} <=> ${all/SOURCE/$2} < 1e-6"; }

check "a distributed table's rows are all drawn" same_as_local items local
check "one seed gives one answer" is_true "$(fit items) = $(fit items)"
check "from the other machine, too" [ "$(query "SELECT md5(vector_send($(fit items)))")" = "$(on_worker "SELECT md5(vector_send($(fit items)))")" ]
check "so it does in another session" [ "$(query "SELECT md5(vector_send($(fit items)))")" = "$(query "SELECT md5(vector_send($(fit items)))")" ]
far="(SELECT count(*) FROM generate_series(1, 20) seed WHERE hinted_exemplar('items', 'v', exemplar => '[1,0.5,0.2]', seed => seed) <=> hinted_exemplar('local', 'v', exemplar => '[1,0.5,0.2]', seed => seed + 100) > 0.02)"
check "samples of a table that was loaded by month are like those of one machine" is_true "$far = 0"

# The shell still has the rows that were there before it was distributed.
query "DELETE FROM items WHERE month < 6; DELETE FROM local WHERE month < 6"
check "rows that are deleted from the shards are not drawn from the shell" same_as_local items local
stale=$(psql -X -q -A -t -v ON_ERROR_STOP=1 <<END
SELECT $(fit items 1000) AS before \gset
DELETE FROM items WHERE id > 30000;
INSERT INTO items SELECT i, 0, ARRAY[1, i % 7, i % 5]::vector(3) FROM generate_series(1, 5000) i;
SELECT $(fit items 1000) = :'before';
END
)
check "a session does not repeat an answer after all rows were replaced" [ "$stale" = f ]
stale=$(psql -X -q -A -t -v ON_ERROR_STOP=1 <<END
SET citus.enable_repartition_joins = off;
SELECT $(fit items 1000) AS before \gset
UPDATE items SET v = '[0,0,1]' WHERE id = 1;
SELECT $(fit items 100000) AS one \gset
UPDATE items SET v = '[9,0,1]' WHERE id = 1;
SELECT $(fit items 100000) = :'one';
END
)
check "nor after a write to one shard" [ "$stale" = f ]
query "CREATE TABLE reference AS SELECT * FROM local; SELECT create_reference_table('reference')" >/dev/null
check "a reference table is drawn as it is" same_as_local reference local
query "SELECT truncate_local_data_after_distributing_table('reference')" >/dev/null
check "with its shell emptied, too" same_as_local reference local
stale=$(psql -X -q -A -t -v ON_ERROR_STOP=1 <<END
SELECT $(fit reference 100000) AS before \gset
\! PGHOST=$worker psql -X -q -c "UPDATE reference SET v = '[0,0,1]'; UPDATE items SET v = '[0,0,1]'"
SELECT $(fit reference 100000) = :'before', $(fit items 100000) = :'before';
END
)
check "what another machine has written is seen" [ "$stale" = "f|f" ]

# Partitions of several kinds. Columnar storage is an extension of its own.
query "CREATE EXTENSION IF NOT EXISTS citus_columnar"
query "CREATE TABLE kinds (id int, month int, v vector(3)) PARTITION BY RANGE (id);
       CREATE TABLE heap PARTITION OF kinds FOR VALUES FROM (1) TO (40001);
       CREATE TABLE frozen PARTITION OF kinds FOR VALUES FROM (40001) TO (60001) USING columnar;
       INSERT INTO kinds SELECT $row FROM generate_series(1, 60000) i;
       CREATE TABLE plain AS SELECT * FROM kinds"
query "ANALYZE kinds" >/dev/null
check "a columnar partition among others is drawn from" same_as_local kinds plain
notice=$(PGOPTIONS='' psql -X -q -A -t -c "SELECT vector_dims($(fit kinds 300))" 2>&1)
check "and does not have all of the table read from its start" [ "$notice" = 3 ]

# A columnar table, and a table of months whose older ones are columnar, are longer than what a sample's first rows are.
query "CREATE TABLE stored USING columnar AS SELECT * FROM plain ORDER BY id;
       CREATE TABLE years (id int, month int, v vector(3)) PARTITION BY RANGE (id);
       CREATE TABLE old PARTITION OF years FOR VALUES FROM (1) TO (30001) USING columnar;
       CREATE TABLE new PARTITION OF years FOR VALUES FROM (30001) TO (60001);
       INSERT INTO years SELECT * FROM plain ORDER BY id"
query "ANALYZE stored; ANALYZE years" >/dev/null
for table in stored years; do
    check "samples of the columnar table $table are of all its rows, not of the first" are_alike "$table" plain
    check "one seed gives one answer on $table" is_true "$(fit $table) = $(fit $table)"
done
query "CREATE TABLE spread (LIKE plain) USING columnar; INSERT INTO spread SELECT * FROM plain"
query "SELECT create_distributed_table('spread', 'id')" >/dev/null
check "a columnar table that is distributed is drawn from" same_as_local spread plain
check "and one seed gives one answer" is_true "$(fit spread) = $(fit spread)"

# Rows as wide as real ones, loaded by month over 32 shards, and fewer that are indexed.
query "CREATE TABLE parts AS SELECT i, array_agg(random() - 0.4)::vector(128) AS v FROM generate_series(1, 700) i, generate_series(1, 128) GROUP BY i;
       CREATE TABLE archive AS SELECT row_number() OVER () AS id, (row_number() OVER () - 1) * 12 / 400000 AS month, l2_normalize(a.v + b.v)::vector(128) AS embedding
       FROM parts a, parts b LIMIT 400000;
       CREATE TABLE images (id bigint PRIMARY KEY, month int, embedding vector(128));
       INSERT INTO images SELECT id, month, embedding FROM archive WHERE id % 20 = 0"
query "SET citus.shard_count = 32; SELECT create_distributed_table('archive', 'id')" >/dev/null
query "SET citus.shard_count = 8; SELECT create_distributed_table('images', 'id')" >/dev/null
for table in archive images; do
    query "SELECT truncate_local_data_after_distributing_table('$table')" >/dev/null
    query "VACUUM ANALYZE $table" >/dev/null
done
query "CREATE INDEX ON images USING hnsw (embedding vector_ip_ops)"
exemplar=$(query "SELECT embedding FROM images WHERE id = 40")
hint=$(query "SELECT l2_normalize(v)::vector(128) FROM parts WHERE i = 3")
w=$(query "SELECT hinted_exemplar('images', 'embedding', exemplar => '$exemplar', hint => '$hint')")
exact=$(query "SELECT string_agg(id::text, ' ') FROM (SELECT id FROM images ORDER BY (embedding <#> '$w') + 0 LIMIT 20) s")
found=$(query "SELECT string_agg(id::text, ' ') FROM (SELECT id FROM images ORDER BY embedding <#> '$w' LIMIT 20) s")
common() { comm -12 <(tr ' ' '\n' <<<"$1" | sort) <(tr ' ' '\n' <<<"$2" | sort) | wc -l; }
check "three steps: an exemplar, a fit with it as a value, a search by w" [ "$(common "$exact" "$found")" -ge 16 ]
plan=$(query "EXPLAIN SELECT id FROM images ORDER BY embedding <#> '$w' LIMIT 20")
check "the shards search their indexes" grep -q 'Index Scan using images_' <<<"$plan"
search="hinted_exemplar_search('images', 'embedding', k => 20, exemplar => '$exemplar', hint => '$hint'"
keys() { echo "SELECT string_agg(key, ' ') FROM $search, key => 'id'$1)"; }
check "a search from the coordinator gives keys" [ "$(common "$exact" "$(query "$(keys '')")")" -ge 19 ]
check "and with a filter, those of rows that satisfy it" is_true "(SELECT bool_and(month = 3) AND count(*) = 20 FROM images
    WHERE id = ANY (string_to_array(($(keys ", filter => 'month = 3'")), ' ')::bigint[]))"
check "a filter on the distribution column finds that row" [ "$(query "$(keys ", filter => 'id = 100'")")" = 100 ]
check "without a key it says what to do" grep -q "key => 'id'" <<<"$(query "SELECT * FROM $search)" 2>&1)"

# A tenant's queries, saved searches, and one schema for each tenant.
query "CREATE TABLE docs (tenant int, id int, embedding vector(128), PRIMARY KEY (tenant, id));
       INSERT INTO docs SELECT id % 4, id, l2_normalize(a.v + b.v) FROM (SELECT n AS id, 1 + n % 700 AS x, 1 + n / 7 % 700 AS y FROM generate_series(1, 20000) n) n JOIN parts a ON a.i = x JOIN parts b ON b.i = y;
       CREATE TABLE saved (tenant int, id int, exemplar vector(128), w vector(128), PRIMARY KEY (tenant, id));
       INSERT INTO saved SELECT tenant, id, embedding FROM docs WHERE id < 9"
query "SELECT create_distributed_table('docs', 'tenant'); SELECT create_distributed_table('saved', 'tenant', colocate_with => 'docs')" >/dev/null
exemplar=$(query "SELECT embedding FROM docs WHERE tenant = 2 AND id = 2")
tenant="hinted_exemplar('docs', 'embedding', exemplar => '$exemplar', source_filter => 'tenant = 2', sample_size => 5000)"
query "CREATE TABLE of_tenant AS SELECT * FROM docs WHERE tenant = 2"
check "a tenant's negatives are that tenant's rows" is_true "$tenant <=> hinted_exemplar('of_tenant', 'embedding', exemplar => '$exemplar', sample_size => 5000) < 1e-6"
w=$(query "SELECT $tenant")
check "a tenant's search asks one shard" grep -q 'Task Count: 1$' <<<"$(query "EXPLAIN SELECT id FROM docs WHERE tenant = 2 ORDER BY embedding <#> '$w' LIMIT 5")"
query "DO \$\$ DECLARE s record; found vector; BEGIN
    FOR s IN SELECT * FROM saved LOOP
        found := hinted_exemplar('docs', 'embedding', exemplar => s.exemplar, source_filter => format('tenant = %s', s.tenant));
        UPDATE saved SET w = found WHERE tenant = s.tenant AND id = s.id;
    END LOOP;
END \$\$"
check "saved searches get their w one after another" is_true "(SELECT count(w) FROM saved) = 8"
query "SET citus.enable_schema_based_sharding = on; CREATE SCHEMA acme"
query "CREATE TABLE acme.docs AS SELECT id, embedding FROM of_tenant"
query "CREATE INDEX ON acme.docs USING hnsw (embedding vector_ip_ops)"
check "a schema of a tenant's own is drawn from" is_true "hinted_exemplar('acme.docs', 'embedding', exemplar => '$exemplar', sample_size => 5000) <=> hinted_exemplar('of_tenant', 'embedding', exemplar => '$exemplar', sample_size => 5000) < 1e-6"
check "and searched" [ "$(query "SELECT count(key) FROM hinted_exemplar_search('acme.docs', 'embedding', key => 'id', k => 10, exemplar => '$exemplar')")" = 10 ]

per_call() { # SQL WITH SEED: the median of nine sessions' second call in ms
    local seed
    for seed in 1 2 3 4 5 6 7 8 9; do
        psql -X -q -A -t <<<"${1//SEED/0}; \\timing on
${1//SEED/$seed};" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
    done | sort -n | sed -n 5p
}
fitted=$(per_call "SELECT vector_dims(hinted_exemplar('archive', 'embedding', exemplar => '$hint', seed => SEED))")
by_hand=$(per_call "SELECT count(vector_norm(v)) FROM (SELECT embedding AS v FROM archive TABLESAMPLE BERNOULLI (0.275) REPEATABLE (SEED) LIMIT 10000) s")
echo "a fit of 1,000 of 400,000 rows of 128 dimensions on 32 shards: $fitted ms; TABLESAMPLE BERNOULLI of as many by hand: $by_hand ms"
check "a fit takes three times what TABLESAMPLE takes at most" awk -v f="$fitted" -v h="$by_hand" 'BEGIN { exit !(f <= 3 * h) }'
finish
