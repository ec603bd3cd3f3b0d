#!/usr/bin/env bash
# The plain SQL file for servers that take no extension, with pgvector alone; and as a trusted language extension, where pg_tle is there.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

new_database sql_only
query "CREATE EXTENSION vector" >/dev/null
check "the file loads" psql -X -q -v ON_ERROR_STOP=1 -f "$ROOT/sql-only/hinted_sum.sql"
check "and loads again" psql -X -q -v ON_ERROR_STOP=1 -f "$ROOT/sql-only/hinted_sum.sql"

# Eight kinds of rows: their middles are drawn, and so is how far each row is from its own.
query "SELECT setseed(0.3);
       CREATE TABLE middles AS SELECT kind, array_agg(random() - 0.5 ORDER BY i) AS place FROM generate_series(0, 7) kind, generate_series(1, 16) i GROUP BY kind;
       CREATE TABLE rows AS
       SELECT id, kind, l2_normalize(v) AS embedding
       FROM (SELECT id, kind, array_agg(x + 0.8 * (random() + random() + random() - 1.5) ORDER BY o)::vector AS v
             FROM generate_series(1, 4000) id JOIN middles ON kind = id % 8, unnest(place) WITH ORDINALITY p (x, o) GROUP BY id, kind) drawn;
       ANALYZE rows" >/dev/null

sum() { echo "(SELECT hinted_sum('rows', 'embedding', $1))"; }
exemplars() { echo "exemplars => ARRAY(SELECT embedding FROM rows WHERE id IN ($1))"; }
# share WEIGHTS: how many of the best 100 rows are of kind 0.
share() { query "SELECT count(*) FILTER (WHERE kind = 0) FROM (SELECT kind FROM rows ORDER BY embedding <#> $1 LIMIT 100) best"; }
text() { query "SELECT md5($1::text)"; }

one=$(share "$(sum "$(exemplars 8)")")
several=$(share "$(sum "$(exemplars '8, 16, 24, 32, 40')")")
check "several exemplars find more of their kind than one ($several, $one)" [ "$several" -gt "$one" ]
hint="hint => (SELECT l2_normalize(place::vector) FROM middles WHERE kind = 0)"
wrong="hint => (SELECT l2_normalize(place::vector) FROM middles WHERE kind = 3)"
good=$(share "$(sum "$(exemplars 8), $hint")")
check "so does a good hint ($good, $one)" [ "$good" -gt "$one" ]
bad=$(share "$(sum "$(exemplars '8, 16, 24'), $wrong")")
check "a wrong hint is hardly believed ($bad)" [ "$bad" -ge $((one - 5)) ]
between="exemplars => ARRAY(SELECT l2_normalize(a.embedding + b.embedding) FROM rows a, rows b WHERE a.id = 8 AND b.id = 9)"
rejecting="counter_exemplars => ARRAY(SELECT embedding FROM rows WHERE id IN (9, 17))"
check "rejected rows score lower" is_true "(SELECT bool_and(embedding <#> $(sum "$between") < embedding <#> $(sum "$between, $rejecting")) FROM rows WHERE id IN (9, 17))"
check "a hint alone ranks by itself" is_true "hinted_sum('rows', 'embedding', hint => '[0,3,0,0,0,0,0,0,0,0,0,0,0,0,0,0]') = '[0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0]'"
check "the answer has length 1" is_true "abs(vector_norm($(sum "$(exemplars 8), $hint")) - 1) < 1e-6"

check "the same seed gives the same bits" [ "$(text "$(sum "$(exemplars 8), seed => 2")")" = "$(text "$(sum "$(exemplars 8), seed => 2")")" ]
check "another seed does not" [ "$(text "$(sum "$(exemplars 8), seed => 3")")" != "$(text "$(sum "$(exemplars 8), seed => 2")")" ]
# Of uniform draws from 4000 rows, each eighth has 125 of 1000, give or take 10.
spread=$(query "SELECT max(abs(n - 125)) FROM (SELECT kind, count(*) AS n FROM unnest(hinted_sum_sample('rows', 'embedding', 1000, 7)) drawn JOIN rows ON embedding = drawn GROUP BY kind) kinds")
check "the sample is drawn evenly (off by $spread)" [ "$spread" -lt 45 ]

query "CREATE VIEW seen AS SELECT * FROM rows; CREATE TABLE halves AS SELECT id, embedding::halfvec AS embedding FROM rows; CREATE TABLE none (LIKE rows);
       CREATE TABLE parts (LIKE rows) PARTITION BY LIST (kind); CREATE TABLE few PARTITION OF parts FOR VALUES IN (0, 1); CREATE TABLE most PARTITION OF parts DEFAULT;
       INSERT INTO parts SELECT * FROM rows; CREATE SCHEMA \"Else where\"; CREATE TABLE \"Else where\".\"Row's\" AS SELECT id, embedding AS \"The vector\" FROM rows" >/dev/null
for source in "'seen', 'embedding'" "'halves', 'embedding'" "'parts', 'embedding'" "'\"Else where\".\"Row''s\"', 'The vector'" "'none', 'embedding'"; do
    check "from $source" is_true "abs(vector_norm(hinted_sum($source, $(exemplars 8), $hint)) - 1) < 1e-6"
done
refusal() { psql -X -q -v VERBOSITY=sqlstate -c "SELECT $1" 2>&1 || true; }
check "nothing wanted is an error" [ "$(refusal "hinted_sum('rows', 'embedding')")" = "ERROR:  22023" ]
check "so is a hint of other dimensions" [ "$(refusal "hinted_sum('rows', 'embedding', $(exemplars 8), hint => '[1,2]')")" = "ERROR:  22000" ]
check "and no such column" [ "$(refusal "hinted_sum('rows', 'nonsense', $(exemplars 8))")" = "ERROR:  42703" ]

if [ "$(query "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_tle'")" = 1 ] && [[ $(query "SHOW shared_preload_libraries") == *pg_tle* ]]; then
    new_database sql_only_tle
    query "CREATE EXTENSION vector; CREATE EXTENSION pg_tle" >/dev/null
    check "it installs by pg_tle" eval "\"$ROOT/sql-only/as_tle.sh\" | psql -X -q -v ON_ERROR_STOP=1 >/dev/null && query 'CREATE EXTENSION hinted_sum'"
    check "and works" is_true "hinted_sum('pg_class', 'relname', hint => '[0,2]') = '[0,1]'"
    dropdb --force sql_only_tle
    export PGDATABASE=postgres
else
    echo "skipped: this server has no pg_tle"
fi
dropdb --force sql_only
finish
