#!/usr/bin/env bash
# How hinted_exemplar_search finds its rows: by index or by looking at all, in what number of walks, and what others may do meanwhile.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

new_database search
query "CREATE EXTENSION hinted_exemplar CASCADE;
       CREATE TABLE items (id int, class int, embedding vector(8));
       SELECT setseed(0.5);
       INSERT INTO items SELECT i, i % 20, l2_normalize((SELECT array_agg((random() - 0.5 + (k = 1 + i % 2)::int)::real)
                                                         FROM generate_series(1, 8) k)::vector(8)) FROM generate_series(1, 20000) i" >/dev/null

# said CALL: what a session that has not used pgvector before says about a search; short walks show what is done when they end early.
said() {
    PGOPTIONS='-c client_min_messages=debug1 -c jit=off -c enable_seqscan=off -c hnsw.max_scan_tuples=1000' psql -X -q -A -t -v ON_ERROR_STOP=1 \
        -c "SELECT count(*) FROM hinted_exemplar_search('items', 'embedding', $1)" 2>&1
}
row="exemplar => (SELECT embedding FROM items WHERE id = 7)"
text="hint => '[1,0.8,0,0,0,0,0,0]'"
says() { grep -Eq "found $2 rows in $3\$" <<<"$(said "$1")"; }

check "without an index all rows are looked at once" says "$row" 20 '0 walks, then all rows'
query "CREATE INDEX graph ON items USING hnsw (embedding vector_ip_ops); ANALYZE items"
check "an exemplar has two walks where these find the same" says "$row, $text" '[0-9]+' '2 walks'
check "many rows are no reason to look at all" says "$row, $text, k => 300" '[0-9]+' '2 walks'
check "a text has as many at least" says "$text" '[0-9]+' '([2-9]|[1-9][0-9]+) walks'
check "a sample of one row is no start" says "$text, sample_size => 1" '[0-9]+' '[1-9][0-9]* walks'
check "an index may leave too few rows" says "$text, filter => 'id % 4000 = 0'" 5 '[0-9]+ walks, then all rows'
query "DROP INDEX graph; CREATE INDEX lists ON items USING ivfflat (embedding vector_ip_ops) WITH (lists = 100); ANALYZE items"
check "more lists are read until that changes nothing" says "$text" '[0-9]+' '([2-9]|[1-9][0-9]+) walks'
query "DROP INDEX lists; CREATE INDEX graph ON items USING hnsw (embedding vector_ip_ops); CREATE INDEX ON items (class); ANALYZE items"
check "what a condition leaves is found by its own index" says "$text, filter => 'class = 3 AND id < 100'" 5 '0 walks, then all rows'
check "there is no more than there is" [ "$(said "$row, filter => 'class = 3 AND id < 100'" | tail -n 1)" = 5 ]

# A poor graph of rows that no direction tells apart. It is small, so all rows are looked at where a walk does not settle.
query "CREATE TABLE poor (id int, embedding vector(32)); CREATE TABLE asked (id int, w vector(32)); CREATE TABLE nearest (asked int, id int);
       INSERT INTO poor SELECT i, l2_normalize((SELECT array_agg((random() - 0.5)::real) FROM generate_series(1, 32) WHERE i > 0)::vector(32)) FROM generate_series(1, 12000) i;
       INSERT INTO asked SELECT i, l2_normalize((SELECT array_agg((random() - 0.5)::real) FROM generate_series(1, 32) WHERE i > 0)::vector(32)) FROM generate_series(1, 10) i;
       INSERT INTO nearest SELECT a.id, p.id FROM asked a, LATERAL (SELECT id FROM poor ORDER BY (embedding <#> w) + 0 LIMIT 10) p;
       CREATE INDEX ON poor USING hnsw (embedding vector_ip_ops) WITH (m = 2, ef_construction = 8); ANALYZE poor" >/dev/null
# hits NEAREST: how many of the true rows a query on asked finds.
hits() { query "SET enable_seqscan = off; SET jit = off; SELECT count(*) FROM nearest JOIN (SELECT a.id AS asked, f.id FROM asked a, LATERAL ($1) f) f USING (asked, id)"; }
check "a plain scan of a poor graph misses most" [ "$(hits "SELECT id FROM poor ORDER BY embedding <#> w LIMIT 10")" -lt 50 ]
check "the search misses hardly any" [ "$(hits "SELECT key::int AS id FROM hinted_exemplar_search('poor', 'embedding', weights => w, k => 10, key => 'id')")" -ge 99 ]

# A statement's places are those of its snapshot, whatever others do before it looks them up.
fifo=$(mktemp -u)
mkfifo "$fifo"
trap 'rm -f "$fifo"' EXIT
psql -X -q -A -t -v ON_ERROR_STOP=1 <"$fifo" >"$fifo.out" 2>&1 &
exec {session}>"$fifo"
echo "BEGIN ISOLATION LEVEL REPEATABLE READ;
      CREATE TEMP TABLE before AS SELECT i.id FROM hinted_exemplar_search('items', 'embedding', $row) s JOIN items i ON i.ctid = s.ctid;
      SELECT 'ready';" >&"$session"
for _ in {1..100}; do grep -q ready "$fifo.out" && break || sleep 0.1; done
query "UPDATE items SET class = -1 WHERE class < 10; DELETE FROM items WHERE class > 15"
echo "SELECT 'changed ' || count(*) FROM (SELECT i.id, class FROM hinted_exemplar_search('items', 'embedding', $row) s JOIN items i ON i.ctid = s.ctid) now
      FULL JOIN before USING (id) WHERE before.id IS NULL OR now.id IS NULL OR class < 0;" >&"$session"
exec {session}>&-
wait
check "others' changes are not seen within a snapshot" grep -q "changed 0" "$fifo.out"
rm -f "$fifo.out"

# Found rows are the nearest: in 8 dimensions an index of 20,000 rows misses hardly any.
check "what is found is what an exact scan finds" is_true "(
    SELECT avg(hits) > 9.9 FROM (SELECT embedding AS x FROM items WHERE id % 2000 = 7) q, LATERAL (
        SELECT count(*) AS hits FROM hinted_exemplar_search('items', 'embedding', exemplar => x, k => 10) s
        WHERE s.ctid IN (SELECT ctid FROM items ORDER BY (embedding <#> hinted_exemplar('items', 'embedding', exemplar => x)) + 0 LIMIT 10)) h)"
finish
