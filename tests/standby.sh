#!/usr/bin/env bash
# A hot standby answers as its primary does: same rows, same bits, and nothing written.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

end() { "$ROOT/scripts/cluster.sh" stop replica; "$ROOT/scripts/cluster.sh" stop primary; }
trap end EXIT
"$ROOT/scripts/cluster.sh" start primary
reach=$("$ROOT/scripts/cluster.sh" env primary)
eval "$reach"
query "CREATE EXTENSION hinted_exemplar CASCADE;
       CREATE TABLE items AS SELECT i AS id, ARRAY[sin(i), cos(i * 1.3), sin(i * 0.7)]::vector(3) AS embedding FROM generate_series(1, 6000) i;
       DELETE FROM items WHERE id % 3 = 0;
       CREATE TABLE parted (id int, embedding vector(3)) PARTITION BY HASH (id);
       CREATE TABLE part0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
       CREATE TABLE part1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
       INSERT INTO parted SELECT * FROM items;
       CREATE VIEW viewed AS SELECT * FROM items;
       CREATE UNLOGGED TABLE unlogged AS SELECT * FROM items;
       CREATE INDEX ON items USING hnsw (embedding vector_ip_ops)" >/dev/null
"$ROOT/scripts/cluster.sh" standby replica primary
replica=$(eval "$("$ROOT/scripts/cluster.sh" env replica)"; echo "$PGHOST")
on_replica() { PGHOST=$replica query "$1"; }
# The standby has what the primary has written; a checkpoint sends off what was committed without waiting for the disc.
caught_up() {
    local position
    query CHECKPOINT
    position=$(query "SELECT pg_current_wal_lsn()")
    for _ in {1..100}; do
        [ "$(on_replica "SELECT pg_last_wal_replay_lsn() >= '$position'")" = t ] && return
        sleep 0.1
    done
    return 1
}

check "the standby is one" [ "$(on_replica "SELECT pg_is_in_recovery()")" = t ]
check "and catches up" caught_up
fit() { echo "hinted_exemplar('$1', 'embedding', exemplar => '[1,0.2,0]', hint => '[1,0,1]', sample_size => 500)"; }
for source in items parted viewed; do
    sql="SELECT md5(vector_send($(fit $source)))"
    check "$source: the same bits as on the primary" [ "$(on_replica "$sql")" = "$(query "$sql")" ]
done
search="SELECT string_agg(id::text, ' ') FROM (SELECT id FROM items ORDER BY embedding <#> (SELECT $(fit items)) LIMIT 5) found"
check "a search finds the same rows" [ "$(on_replica "$search")" = "$(query "$search")" ]
check "by the index" grep -q 'Index Scan' <<<"$(on_replica "SET enable_seqscan = off; EXPLAIN SELECT id FROM items ORDER BY embedding <#> (SELECT $(fit items)) LIMIT 5")"
query "INSERT INTO items SELECT id + 100000, embedding FROM items WHERE id <= 1500" >/dev/null
query "VACUUM items" >/dev/null
check "rows that came later arrive" caught_up
sql="SELECT md5(vector_send($(fit items)))"
check "and are drawn there too" [ "$(on_replica "$sql")" = "$(query "$sql")" ]
state() { PGHOST=$replica psql -X -q -v VERBOSITY=sqlstate -c "$1" 2>&1 || true; }
check "an unlogged table is refused as by any query" [ "$(state "SELECT $(fit unlogged)")" = "$(state "SELECT embedding FROM unlogged")" ]
check "and the standby goes on" [ "$(on_replica "SELECT 1")" = 1 ]
check "nothing crashed" [ "$(query "SELECT 1")" = 1 ]
finish
