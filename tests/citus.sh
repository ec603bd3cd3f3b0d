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
query "ALTER SYSTEM SET citus.local_hostname = '$PGHOST'; SELECT pg_reload_conf()" >/dev/null 2>&1 ||
    { query "ALTER SYSTEM SET citus.local_hostname = '$PGHOST'"; query "SELECT pg_reload_conf()" >/dev/null; }
query "SELECT citus_set_coordinator_host('$PGHOST', $PGPORT); SELECT citus_set_node_property('$PGHOST', $PGPORT, 'shouldhaveshards', true)" >/dev/null

# Rows point where their month says, so that the answer shows which months were seen.
row="i AS id, (i - 1) * 12 / 60000 AS month, ARRAY[cos((i - 1) * 12 / 60000), sin((i - 1) * 12 / 60000), 0.001 * (i % 97) + 0.01]::vector(3) AS v"
query "CREATE TABLE items AS SELECT $row FROM generate_series(1, 60000) i;
       CREATE TABLE local AS SELECT * FROM items"
query "SET citus.shard_count = 32; SELECT create_distributed_table('items', 'id')" >/dev/null
all="hinted_exemplar('SOURCE', 'v', exemplar => '[1,0.5,0.2]', sample_size => 100000)"
same_as_local() { is_true "${all/SOURCE/$1} <=> ${all/SOURCE/$2} < 1e-6"; }

check "a distributed table's rows are all drawn" same_as_local items local
check "one seed gives one answer" is_true "$(fit items) = $(fit items)"
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

# Partitions of several kinds.
query "CREATE TABLE kinds (id int, month int, v vector(3)) PARTITION BY RANGE (id);
       CREATE TABLE heap PARTITION OF kinds FOR VALUES FROM (1) TO (40001);
       CREATE TABLE frozen PARTITION OF kinds FOR VALUES FROM (40001) TO (60001) USING columnar;
       INSERT INTO kinds SELECT $row FROM generate_series(1, 60000) i;
       CREATE TABLE plain AS SELECT * FROM kinds"
query "ANALYZE kinds" >/dev/null
check "a columnar partition among others is drawn from" same_as_local kinds plain
notice=$(PGOPTIONS='' psql -X -q -A -t -c "SELECT vector_dims($(fit kinds 300))" 2>&1)
check "and does not have all of the table read from its start" [ "$notice" = 3 ]

per_call() { # SQL: the least of seven times in ms
    PGOPTIONS='' psql -X -q -A -t -c '\timing on' $(printf -- '-c %q ' "$1") >/dev/null 2>&1 || true
    for _ in 1 2 3 4 5 6 7; do PGOPTIONS='' psql -X -q -A -t <<<"\\timing on
$1;" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'; done | sort -n | head -n 1
}
fitted=$(per_call "SELECT $(fit items 1000)")
by_hand=$(per_call "SELECT count(vector_norm(v)) FROM (SELECT v FROM items TABLESAMPLE BERNOULLI (20) REPEATABLE (1)) s")
echo "a fit of 1,000 rows: $fitted ms; TABLESAMPLE BERNOULLI of as many by hand: $by_hand ms"
finish
