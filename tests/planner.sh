#!/usr/bin/env bash
# How often a call is answered by a fit, in every kind of query: by the planner's rewrite once per query, by the call site's cache once
# per input. And that neither changes a result, a scan or what is an error.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

new_database planner
query "
CREATE EXTENSION hinted_exemplar CASCADE;
CREATE TABLE items (id int PRIMARY KEY, class int, embedding vector(8));
INSERT INTO items SELECT i, i % 5, l2_normalize((SELECT array_agg(sin(i * k * 1.7) + (k = 1)::int + (k = 2 + i % 5)::int * 0.5 ORDER BY k)
                                    FROM generate_series(1, 8) k)::real[]::vector) FROM generate_series(1, 3000) i;
CREATE INDEX items_hnsw ON items USING hnsw (embedding vector_ip_ops);
CREATE MATERIALIZED VIEW background AS SELECT * FROM items;
CREATE TABLE parts (LIKE items) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1500);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (1500) TO (5000);
INSERT INTO parts SELECT * FROM items;
CREATE INDEX parts_hnsw ON parts USING hnsw (embedding vector_ip_ops);
CREATE TABLE parent (LIKE items);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent SELECT * FROM items WHERE id % 2 = 0;
INSERT INTO child SELECT * FROM items WHERE id % 2 = 1;
CREATE TABLE listed AS SELECT * FROM items;
CREATE INDEX listed_ivfflat ON listed USING ivfflat (embedding vector_ip_ops) WITH (lists = 20);
CREATE TABLE other AS SELECT * FROM items WHERE id <= 100;
CREATE TABLE probes AS SELECT n, id, embedding, hinted_exemplar(source => 'items', embedding => 'embedding', sample_size => 200, exemplar => embedding) AS w
                       FROM items JOIN (VALUES (1, 7), (2, 12), (3, 12), (4, 99)) v (n, i) ON i = id;
ANALYZE" >/dev/null

# In the shapes below, @f, @g and @h are calls that are the same for every row, and @p one for a row p of probes.
f="hinted_exemplar(source => 'items', embedding => 'embedding', sample_size => 200, exemplar => (SELECT embedding FROM items WHERE id = 42), hint => '[1,1,0,0,0,0,0,0]')"
g="hinted_exemplar(source => 'background', embedding => 'embedding', sample_size => 200, hint => '[1,0,1,0,0,0,0,0]', exemplars => ARRAY(SELECT embedding FROM items WHERE id IN (7, 12) ORDER BY id))"
h="hinted_exemplar(source => 'items', embedding => 'embedding', sample_size => 200, exemplar => '[1,2,3,4,5,6,7,8]')"
p="hinted_exemplar(source => 'items', embedding => 'embedding', sample_size => 200, exemplar => p.embedding)"
for name in f g h; do printf -v "${name}_fitted" "'%s'::vector" "$(query "SELECT ${!name}")"; done

# The same by a column of the explained fit, and from its report.
e="(${f/hinted_exemplar/hinted_exemplar_fit}).weights"
r="(${f/hinted_exemplar/hinted_exemplar_report} ->> 'weights')::vector"

called() { local sql=${1//@f/$f}; sql=${sql//@e/$e}; sql=${sql//@r/$r}; sql=${sql//@g/$g}; sql=${sql//@h/$h}; echo "${sql//@p/$p}"; }
# The plain form in two steps: first fit, then search by the answer.
in_two_steps() { local sql=${1//@f/$f_fitted}; sql=${sql//@e/$f_fitted}; sql=${sql//@r/$f_fitted}; sql=${sql//@g/$g_fitted}; sql=${sql//@h/$h_fitted}; echo "${sql//@p/p.w}"; }

# run BEFORE STATEMENT AFTER: what they print, with a line for each fit of STATEMENT, in a transaction that is undone.
run() {
    psql -X -q -A -t -v ON_ERROR_STOP=1 2>&1 <<END
BEGIN;
SET enable_seqscan = ${SEQSCAN:-off};
SET jit = off;
$1;
SET client_min_messages = debug1;
$2;
SET client_min_messages = warning;
$3;
ROLLBACK;
END
}

fits_in() { grep -c '^DEBUG:  fitted an exemplar SVM' <<<"$1" || true; }
without_debug() { grep -v '^DEBUG:\|^CONTEXT:\|^SQL function\|^PL/pgSQL function' || true; }

# shape NAME FITS PLAN STATEMENT [BEFORE [AFTER]]: STATEMENT fits FITS times and prints what it prints in two steps; its plan has each of
# the PLAN, separated by commas, or not, after a !. An empty PLAN is not looked at. EXPLAIN never fits.
shape() {
    local name=$1 fits=$2 wanted=$3 statement=$4 before=${5:-} after=${6:-} got plan='' want problem='' status=0
    got=$(run "$(called "$before")" "$(called "$statement")" "$(called "$after")") || status=$?
    [ "$status" = 0 ] || problem+=" fails;"
    [ "$(fits_in "$got")" = "$fits" ] || problem+=" fits $(fits_in "$got") times, not $fits;"
    want=$(run "$(in_two_steps "$before")" "$(in_two_steps "$statement")" "$(in_two_steps "$after")" | without_debug) || problem+=" fails in two steps;"
    [ -n "$want" ] || problem+=" prints nothing;"
    [ "$(without_debug <<<"$got")" = "$want" ] || problem+=" differs from two steps;"
    if [ -n "$wanted" ]; then
        plan=$(run "$(called "$before")" "EXPLAIN (COSTS OFF) $(called "$statement")" "") || problem+=" EXPLAIN fails;"
        [ "$(fits_in "$plan")" = 0 ] || problem+=" EXPLAIN fits;"
        while IFS= read -r -d, node; do
            case $node in
            !*) ! grep -qF "${node#!}" <<<"$plan" || problem+=" has ${node#!};" ;;
            *) grep -qF "$node" <<<"$plan" || problem+=" has no $node;" ;;
            esac
        done <<<"$wanted,"
    fi
    check "$name: $fits" [ -z "$problem" ]
    [ -z "$problem" ] || printf '%s\n' "$problem" "$got" "$plan" | head -n 60 | sed 's/^/    | /'
}

# refused NAME MESSAGE STATEMENT: an error, and that one.
refused() {
    local got
    got=$(run "" "$(called "$3")" "") || true
    check "$1 is refused" grep -qF "ERROR:  $2" <<<"$got"
    grep -qF "ERROR:  $2" <<<"$got" || sed 's/^/    | /' <<<"$got"
}

nearest="SELECT id FROM items ORDER BY embedding <#> @f LIMIT 5"
hnsw='InitPlan,Index Scan using items_hnsw'

echo "-- places in a query"
shape "ORDER BY" 1 "$hnsw" "$nearest"
shape "SELECT and ORDER BY" 1 "$hnsw" "SELECT id, embedding <#> @f FROM items ORDER BY embedding <#> @f LIMIT 5"
shape "ORDER BY the column's name" 1 "$hnsw" "SELECT id, embedding <#> @f AS d FROM items ORDER BY d LIMIT 5"
shape "WHERE" 1 "InitPlan" "SELECT count(*) FROM items WHERE embedding <#> @f < -0.5"
shape "WHERE and ORDER BY, two calls" 2 "$hnsw" "SELECT id FROM items WHERE embedding <#> @f < 0 ORDER BY embedding <#> @f LIMIT 5"
shape "two different calls" 2 "$hnsw" "SELECT id, embedding <#> @g FROM items ORDER BY embedding <#> @f LIMIT 5"
shape "the same call twice in one expression" 2 "InitPlan" "SELECT count(*) FROM items WHERE (embedding <#> @f) + (embedding <=> @f) < 0"
shape "an equality" 1 "InitPlan" "SELECT count(*) FROM items WHERE embedding <> @f"
shape "equalities with the call" 3 "" "SELECT a.id FROM other a JOIN other b ON a.embedding = b.embedding AND a.embedding = @f AND b.embedding = @f AND a.embedding = @f" \
    "UPDATE other SET embedding = @f WHERE id = 8"
shape "a constant of a join" 1 "InitPlan" "SELECT count(*) FROM items a, other b WHERE a.embedding = b.embedding AND b.embedding = @f"
shape "aggregate" 1 "InitPlan" "SELECT class, min(embedding <#> @f) FROM items GROUP BY class ORDER BY 1"
shape "aggregate's ORDER BY and FILTER" 2 "InitPlan" "SELECT (array_agg(id ORDER BY embedding <#> @f) FILTER (WHERE embedding <#> @f < 0))[1:3] FROM items"
shape "HAVING" 1 "InitPlan" "SELECT class FROM items GROUP BY class HAVING min(embedding <#> @f) < -0.5 ORDER BY 1"
shape "GROUP BY the distance" 2 "!InitPlan" "SELECT round(embedding <#> @h) AS d, count(*) FROM items GROUP BY round(embedding <#> @h) HAVING round(embedding <#> @h) < 0 ORDER BY 1"
shape "GROUPING SETS of the distance" 1 "!InitPlan" "SELECT abs(round(embedding <#> @h)) AS d, count(*) FROM items GROUP BY GROUPING SETS ((round(embedding <#> @h)), ()) ORDER BY 1, 2"
shape "window function" 1 "InitPlan" "SELECT id, rank() OVER (PARTITION BY class ORDER BY embedding <#> @f) FROM items ORDER BY 2, 1 LIMIT 10"
shape "window frame" 1 "InitPlan" "SELECT sum(id) OVER (ORDER BY id ROWS vector_dims(@f) PRECEDING) FROM items ORDER BY 1 DESC LIMIT 3"
shape "DISTINCT ON" 1 "InitPlan" "SELECT DISTINCT ON (class) class, id FROM items ORDER BY class, embedding <#> @f"
shape "DISTINCT" 1 "" "SELECT DISTINCT round(embedding <#> @f) AS d FROM items ORDER BY d"
shape "LIMIT and OFFSET" 2 "" "SELECT id FROM items ORDER BY id LIMIT vector_dims(@f) OFFSET vector_dims(@g)"
shape "TABLESAMPLE" 1 "" "SELECT count(*) FROM items TABLESAMPLE BERNOULLI (vector_dims(@f)) REPEATABLE (1)"
shape "join condition" 1 "InitPlan" "SELECT count(*) FROM items a LEFT JOIN other b ON a.id = b.id AND b.embedding <#> @f < -0.5"
shape "FULL JOIN" 1 "InitPlan" "SELECT count(*) FROM items a FULL JOIN other b ON a.embedding <#> @f = b.id"
shape "CASE" 1 "" "SELECT sum(CASE WHEN class = 1 THEN embedding <#> @f END) FROM items"
shape "COALESCE" 0 "" "SELECT sum(coalesce(id, embedding <#> @f)) FROM items"
shape "OR" 1 "InitPlan" "SELECT count(*) FROM items WHERE class = 1 OR embedding <#> @f < 0"
shape "VALUES" 2 "" "SELECT count(*) FROM items, (VALUES (1, @f), (2, @g)) v (n, w) WHERE embedding <#> w < -0.5"
shape "IN VALUES" 2 "" "SELECT count(*) FROM items WHERE embedding IN (VALUES (@f), (@g))"
shape "without FROM" 1 "!InitPlan 2" "SELECT @f"
shape "without FROM, a set" 1 "!InitPlan 2" "SELECT @f, generate_series(1, 10)"
shape "over no row" 0 "InitPlan" "SELECT count(*) FROM (SELECT FROM items WHERE id < 0 ORDER BY embedding <#> @f) t"

echo "-- arguments"
shape "nested calls" 2 "$hnsw" "SELECT id FROM items ORDER BY embedding <#> hinted_exemplar(source => 'items', embedding => 'embedding', exemplar => @f, sample_size => 300) LIMIT 5" "" ""
shape "example from a sub-select" 1 "$hnsw" "SELECT id FROM items ORDER BY embedding <#> hinted_exemplar(source => 'items', embedding => 'embedding', sample_size => 200, hint => '[1,1,0,0,0,0,0,0]', exemplar => (SELECT o.embedding FROM other o WHERE o.id IN (SELECT x.id FROM other x WHERE EXISTS (SELECT FROM other y WHERE y.id = x.id AND y.id = 42)))) LIMIT 5"
shape "a volatile argument" 3 "" "SELECT count(DISTINCT hinted_exemplar(source => 'items', embedding => 'embedding', hint => '[1,1,0,0,0,0,0,0]', exemplar => '[1,2,3,4,5,6,7,8]', seed => (random() * 0)::int + id)::text) = 3 FROM other WHERE id <= 3"
shape "a column of a CTE" 1 "" "WITH e AS MATERIALIZED (SELECT embedding FROM items WHERE id = 42) SELECT i.id FROM items i, e ORDER BY i.embedding <#> hinted_exemplar(source => 'items', embedding => 'embedding', sample_size => 200, exemplar => e.embedding, hint => '[1,1,0,0,0,0,0,0]') LIMIT 5"
shape "a sub-select of a CTE" 1 "$hnsw" "WITH e AS MATERIALIZED (SELECT embedding FROM items WHERE id = 42) SELECT i.id FROM items i ORDER BY i.embedding <#> hinted_exemplar(source => 'items', embedding => 'embedding', sample_size => 200, exemplar => (SELECT embedding FROM e), hint => '[1,1,0,0,0,0,0,0]') LIMIT 5"
shape "an array of columns" 3 "" "SELECT count(vector_dims(hinted_exemplar(source => 'items', embedding => 'embedding', exemplars => ARRAY[p.embedding, p.embedding]))) FROM probes p"
shape "a set-returning argument" 2 "" "SELECT vector_dims(hinted_exemplar(source => 'items', embedding => 'embedding', hint => '[1,1,0,0,0,0,0,0]', exemplar => '[1,2,3,4,5,6,7,8]', seed => generate_series(1, 2))) FROM other WHERE id = 1"
shape "an aggregate as argument" 1 "" "SELECT vector_dims(hinted_exemplar(source => 'items', embedding => 'embedding', exemplar => avg(embedding))) FROM other"
shape "a simple CASE as argument" 1 "" "SELECT count(embedding <#> hinted_exemplar(source => 'items', embedding => 'embedding', exemplar => CASE current_schema() WHEN 'public' THEN '[1,2,3,4,5,6,7,8]'::vector ELSE '[1,0,0,0,0,0,0,0]' END)) FROM other"
shape "a cast array as argument" 1 "InitPlan" "SELECT count(embedding <#> hinted_exemplar(source => 'items', embedding => 'embedding', exemplars => ARRAY(SELECT embedding::text FROM items WHERE id < 3)::vector[])) FROM other"

shape "exemplar_svm of sub-selects" 1 "$hnsw" "SELECT id FROM items ORDER BY embedding <#> exemplar_svm(exemplars => ARRAY(SELECT embedding FROM items WHERE id = 42), negatives => ARRAY(SELECT embedding FROM other)) LIMIT 5"

echo "-- sub-queries"
shape "view" 1 "$hnsw" "SELECT id FROM v ORDER BY d LIMIT 5" "CREATE VIEW v AS SELECT id, embedding <#> @f AS d FROM items"
shape "security-barrier view" 1 "InitPlan" "SELECT id FROM v WHERE d < -0.8 ORDER BY 1" "CREATE VIEW v WITH (security_barrier) AS SELECT id, embedding <#> @f AS d FROM items"
shape "CTE with the search" 1 "$hnsw" "WITH n AS ($nearest) SELECT count(*), sum(id) FROM n"
shape "CTE with the fit" 1 "$hnsw" "WITH w AS (SELECT @f AS w) SELECT id FROM items, w ORDER BY embedding <#> w LIMIT 5"
shape "materialized CTE with the fit" 1 "CTE Scan" "WITH w AS MATERIALIZED (SELECT @f AS w) SELECT id FROM items, w ORDER BY embedding <#> w LIMIT 5"
shape "sub-select of a materialized CTE" 1 "$hnsw" "WITH w AS MATERIALIZED (SELECT @f AS w) SELECT id FROM items ORDER BY embedding <#> (SELECT w FROM w) LIMIT 5"
shape "recursive CTE" 2 "InitPlan" "WITH RECURSIVE r AS (SELECT id, 1 AS n FROM other WHERE embedding <#> @f < -0.5 UNION ALL SELECT o.id, n + 1 FROM r JOIN other o ON o.id = r.id + 1 WHERE o.embedding <#> @f < 0) SELECT count(*), max(n) FROM r"
shape "sub-query in FROM" 1 "$hnsw" "SELECT count(*) FROM ($nearest) n"
shape "the fit in FROM" 1 "$hnsw" "SELECT id FROM items, (SELECT @f AS w) q ORDER BY embedding <#> w LIMIT 5"
shape "the function in FROM" 1 "Function Scan" "SELECT id FROM items, LATERAL (VALUES (0)) z, hinted_exemplar(source => 'items', embedding => 'embedding', sample_size => 200, exemplar => (SELECT embedding FROM items WHERE id = 42), hint => '[1,1,0,0,0,0,0,0]') w ORDER BY embedding <#> w LIMIT 5"
shape "the sub-select written by hand" 1 "$hnsw,!InitPlan 3" "SELECT id FROM items ORDER BY embedding <#> (SELECT @f) LIMIT 5"
shape "the argument of a function in FROM" 1 "Function Scan" "SELECT count(*) FROM generate_series(1, vector_dims(@f)) n"
shape "the argument of a function in FROM, inlined" 1 "" "SELECT count(*) FROM generate_series(1, vector_dims(wanted())) n, other" "CREATE FUNCTION wanted() RETURNS vector LANGUAGE sql STABLE AS 'SELECT hinted_exemplar(source => ''items'', embedding => ''embedding'', exemplar => ''[1,2,3,4,5,6,7,8]'')'"
shape "the argument of a function in FROM, in a sub-query that is pulled up" 1 "" "SELECT count(*) FROM other, (SELECT n FROM generate_series(1, vector_dims(wanted())) n) s" "CREATE FUNCTION wanted() RETURNS vector LANGUAGE sql STABLE AS 'SELECT hinted_exemplar(source => ''items'', embedding => ''embedding'', exemplar => ''[1,2,3,4,5,6,7,8]'')'"
shape "an outer aggregate as argument" 1 "" "SELECT (SELECT min(i.embedding <#> hinted_exemplar(source => 'items', embedding => 'embedding', exemplar => avg(o.embedding))) FROM items i) FROM other o"
shape "an outer aggregate in a sub-select as argument" 1 "" "SELECT (SELECT min(i.embedding <#> hinted_exemplar(source => 'items', embedding => 'embedding', exemplar => (SELECT avg(o.embedding)))) FROM items i) FROM other o"
shape "LATERAL, the same for every row" 1 "$hnsw" "SELECT n, id FROM generate_series(1, 3) n, LATERAL (SELECT id FROM items WHERE class <> n ORDER BY embedding <#> @f LIMIT 2) t"
shape "LATERAL per row" 3 "$hnsw" "SELECT n, t.id FROM probes p, LATERAL (SELECT i.id FROM items i ORDER BY i.embedding <#> @p LIMIT 3) t"
shape "correlated by the query outside" 3 "SubPlan" "SELECT n, (SELECT count(*) FROM other o WHERE o.embedding <#> @p < 0) FROM probes p ORDER BY n"
shape "correlated, per row" 3 "" "SELECT n, p.embedding <#> @p FROM probes p ORDER BY n"
shape "in a correlated sub-select" 1 "SubPlan" "SELECT sum((SELECT min(i.embedding <#> @f) FROM other i WHERE i.class = o.class AND i.id < 20)) FROM other o"
shape "in a correlated sub-select without FROM" 1 "" "SELECT sum((SELECT o.embedding <#> @f)) FROM other o"
shape "IN" 1 "$hnsw" "SELECT count(*) FROM other WHERE id IN (SELECT id FROM items ORDER BY embedding <#> @f LIMIT 50)"
shape "NOT IN" 1 "InitPlan" "SELECT count(*) FROM other WHERE id NOT IN (SELECT id FROM items WHERE embedding <#> @f < 0)"
shape "EXISTS" 1 "" "SELECT count(*) FROM other o WHERE EXISTS (SELECT FROM items i WHERE i.id = o.id AND i.embedding <#> @f < 0)"
shape "EXISTS under OR" 1 "SubPlan" "SELECT count(*) FROM other o WHERE o.id = 1 OR EXISTS (SELECT FROM items i WHERE i.id = o.id AND i.embedding <#> @f < 0)"
shape "EXISTS beside the call" 1 "$hnsw" "SELECT id, EXISTS (SELECT FROM other o WHERE o.id = i.id) FROM items i ORDER BY embedding <#> @f LIMIT 5"
shape "EXISTS with the call, beside the call" 3 "Index Scan using items_hnsw" "SELECT id, EXISTS (SELECT FROM other o WHERE o.id = i.id AND o.embedding <#> @f < 0) FROM items i ORDER BY embedding <#> @f LIMIT 5"
shape "EXISTS with a sub-select with the call" 1 "" "SELECT count(*) FROM other o WHERE o.id = 1 OR EXISTS (SELECT FROM items i WHERE i.id = o.id AND i.id IN (SELECT id FROM items WHERE embedding <#> @f < 0))"
shape "EXISTS of an inlined function" 1 "" "SELECT count(*) FROM other o WHERE o.id = 1 OR EXISTS (SELECT FROM items i WHERE i.id = o.id AND near(i.embedding))" "CREATE FUNCTION near(vector) RETURNS bool LANGUAGE sql STABLE AS 'SELECT \$1 <#> hinted_exemplar(source => ''items'', embedding => ''embedding'', exemplar => ''[1,2,3,4,5,6,7,8]'') < 0'"
shape "EXISTS with LIMIT by the call" 1 "" "SELECT count(*) FROM other o WHERE EXISTS (SELECT FROM items i WHERE i.id = o.id LIMIT vector_dims(@f))"
shape "UNION ALL" 2 "InitPlan" "SELECT id FROM other WHERE embedding <#> @f < -0.5 UNION ALL SELECT id FROM other WHERE embedding <#> @g < -0.5 ORDER BY 1"
shape "UNION ALL with constant columns" 2 "" "SELECT count(*) FROM (SELECT 1 AS n, @f AS w, embedding FROM other UNION ALL SELECT 2, @g, embedding FROM items) u WHERE n = 1 AND w = @f AND embedding <#> w < 0"
shape "UNION ALL of the fits" 2 "" "SELECT count(*) FROM (SELECT @f AS w UNION ALL SELECT @g) u, other WHERE embedding <#> w < 0"
shape "UNION" 2 "" "SELECT id FROM other WHERE embedding <#> @f < -0.5 UNION SELECT id FROM other WHERE embedding <#> @g < -0.5 ORDER BY 1"
shape "EXCEPT" 1 "" "SELECT id FROM other EXCEPT SELECT id FROM other WHERE embedding <#> @f < 0 ORDER BY 1"

echo "-- relations"
shape "IVFFlat index" 1 "InitPlan,Index Scan using listed_ivfflat" "SELECT id FROM listed ORDER BY embedding <#> @f LIMIT 5"
shape "partitioned table" 1 "InitPlan,Merge Append,parts_1_embedding_idx,parts_2_embedding_idx" "SELECT id FROM parts ORDER BY embedding <#> @f LIMIT 5"
shape "partitioned table, fitted against a partition" 1 "InitPlan,Merge Append" "SELECT count(*) FROM (SELECT id FROM parts ORDER BY embedding <#> hinted_exemplar(source => 'parts_1', embedding => 'embedding', exemplar => '[1,2,3,4,5,6,7,8]') LIMIT 5) t"
shape "partitions, whose conditions are simplified again" 3 "" "SELECT count(*) FROM parts p WHERE p.embedding <#> @h < 0 AND (p.id = 1 OR EXISTS (SELECT FROM other o WHERE o.id = p.id AND o.embedding <#> @h < 0))"
shape "partitions pruned when run" 1 "InitPlan" "SELECT count(*) FROM parts WHERE id = vector_dims(@f)"
shape "inheritance" 1 "InitPlan,Append" "SELECT id FROM parent ORDER BY embedding <#> @f LIMIT 5"
shape "inheritance, WHERE" 1 "InitPlan" "SELECT count(*) FROM parent WHERE embedding <#> @f < 0"
shape "row-security policy with the call" 1 "InitPlan" "SELECT count(*) FROM other" "CREATE ROLE planner_reader; GRANT SELECT ON other, items TO planner_reader; ALTER TABLE other ENABLE ROW LEVEL SECURITY; CREATE POLICY near ON other USING (embedding <#> @f < 0); SET ROLE planner_reader"
shape "row-security on the source" 1 "$hnsw" "SELECT count(*) FROM (SELECT id FROM items ORDER BY embedding <#> hinted_exemplar(source => 'other', embedding => 'embedding', exemplar => '[1,2,3,4,5,6,7,8]', sample_size => 10) LIMIT 5) t" "CREATE ROLE planner_reader; GRANT SELECT ON other, items TO planner_reader; ALTER TABLE other ENABLE ROW LEVEL SECURITY; CREATE POLICY near ON other USING (id < 50); SET ROLE planner_reader"

echo "-- statements"
shape "UPDATE ... WHERE" 1 "InitPlan" "UPDATE other SET class = -1 WHERE embedding <#> @f < -0.5" "" "SELECT count(*) FROM other WHERE class = -1"
shape "UPDATE ... SET" 1 "InitPlan" "UPDATE other SET embedding = @f WHERE id < 10" "" "SELECT DISTINCT embedding FROM other WHERE id < 10"
shape "UPDATE of the source" 1 "InitPlan" "UPDATE items SET embedding = @f WHERE id < 10" "" "SELECT DISTINCT embedding FROM items WHERE id < 10"
shape "UPDATE ... FROM, several columns" 1 "" "UPDATE other SET (class, embedding) = (SELECT -1, @f) WHERE id < 10" "" "SELECT DISTINCT class, embedding FROM other WHERE id < 10"
shape "UPDATE of a partitioned table" 1 "InitPlan" "UPDATE parts SET class = -1 WHERE embedding <#> @f < -0.5" "" "SELECT count(*) FROM parts WHERE class = -1"
shape "DELETE ... WHERE" 1 "InitPlan" "DELETE FROM other WHERE embedding <#> @f < -0.5" "" "SELECT count(*) FROM other"
shape "DELETE of the nearest" 1 "$hnsw" "DELETE FROM items WHERE id IN ($nearest) RETURNING id"
shape "RETURNING" 1 "InitPlan" "UPDATE other SET class = 0 WHERE id < 10 RETURNING id, embedding <#> @f"
shape "INSERT ... SELECT" 1 "$hnsw" "INSERT INTO other SELECT id + 5000, class, embedding FROM items ORDER BY embedding <#> @f LIMIT 5" "" "SELECT id FROM other WHERE id > 5000 ORDER BY id"
shape "INSERT ... VALUES" 1 "" "INSERT INTO other VALUES (5000, 0, @f)" "" "SELECT embedding FROM other WHERE id = 5000"
shape "INSERT ... VALUES, several rows" 2 "" "INSERT INTO other VALUES (5000, 0, @f), (5001, 0, @g)" "" "SELECT embedding FROM other WHERE id >= 5000 ORDER BY id"
shape "ON CONFLICT" 1 "" "INSERT INTO items SELECT * FROM other ON CONFLICT (id) DO UPDATE SET embedding = @f WHERE items.class = 1" "" "SELECT md5(string_agg(embedding::text, '' ORDER BY id)) FROM items"
shape "MERGE" 2 "InitPlan" "MERGE INTO other o USING items i ON o.id = i.id WHEN MATCHED AND o.embedding <#> @f < 0 THEN UPDATE SET class = -1 WHEN NOT MATCHED AND i.id < 200 THEN INSERT VALUES (i.id, 0, @f)" "" "SELECT count(*), sum(class) FROM other"
shape "CREATE TABLE AS" 1 "InitPlan" "CREATE TABLE made AS $nearest" "" "SELECT id FROM made"
shape "cursor" 1 "" "DECLARE c CURSOR FOR $nearest; FETCH 2 FROM c; FETCH 2 FROM c"
shape "cursor over a table that changes" 1 "" "DECLARE c CURSOR FOR SELECT id, embedding <#> @f FROM items ORDER BY id; FETCH 2 FROM c; DELETE FROM items WHERE id % 2 = 0; FETCH 2 FROM c"
shape "scrolling back" 1 "" "DECLARE c SCROLL CURSOR FOR SELECT id, embedding <#> @f FROM other ORDER BY id; FETCH 2 FROM c; FETCH BACKWARD 1 FROM c; FETCH 2 FROM c"
shape "COPY" 1 "" "COPY ($nearest) TO STDOUT"
shape "FOR UPDATE" 1 "InitPlan" "SELECT id FROM other WHERE embedding <#> @f < -0.5 ORDER BY id FOR UPDATE"
shape "prepared, custom plan" 1 "$hnsw" "EXECUTE s(5)" "SET plan_cache_mode = force_custom_plan; PREPARE s (int) AS SELECT id FROM items ORDER BY embedding <#> @f LIMIT \$1"
shape "prepared, generic plan" 1 "$hnsw" "EXECUTE s(5)" "SET plan_cache_mode = force_generic_plan; PREPARE s (int) AS SELECT id FROM items ORDER BY embedding <#> @f LIMIT \$1"
shape "prepared, run twice" 2 "" "EXECUTE s(5); EXECUTE s(4)" "SET plan_cache_mode = force_generic_plan; PREPARE s (int) AS SELECT id FROM items ORDER BY embedding <#> @f LIMIT \$1"
example="hinted_exemplar(source => 'items', embedding => 'embedding', sample_size => 200, exemplar => \$1)"
for mode in custom generic; do
    shape "prepared with the example as parameter, $mode plan" 1 "$hnsw" "EXECUTE s('[1,2,3,4,5,6,7,8]')" \
        "SET plan_cache_mode = force_${mode}_plan; PREPARE s (vector) AS SELECT id FROM items ORDER BY embedding <#> $example LIMIT 5"
done
shape "savepoint" 2 "" "SAVEPOINT a; $nearest; ROLLBACK TO a; $nearest"

echo "-- functions"
body() { echo "CREATE FUNCTION $1 LANGUAGE $2 STABLE ${4:-} AS \$body\$ $3 \$body\$"; }
shape "SQL function, inlined" 1 "$hnsw" "SELECT id FROM items ORDER BY embedding <#> wanted() LIMIT 5" "$(body "wanted() RETURNS vector" sql "SELECT @h")"
shape "SQL function, inlined, with arguments" 1 "$hnsw" "SELECT id FROM items ORDER BY embedding <#> wanted((SELECT embedding FROM items WHERE id = 42)) LIMIT 5" "$(body "wanted(vector) RETURNS vector" sql "SELECT $example")"
shape "SQL function, inlined, correlated" 3 "" "SELECT sum(p.embedding <#> wanted(p.embedding)) FROM probes p" "$(body "wanted(vector) RETURNS vector" sql "SELECT $example")"
shape "SQL function, inlined, grouped by" 1 "!InitPlan" "SELECT count(*) FROM items GROUP BY GROUPING SETS ((round(distance(embedding))), ()) HAVING round(distance(embedding)) IS NULL" "$(body "distance(vector) RETURNS float8" sql "SELECT \$1 <#> @h")"
shape "SQL function with a sub-select, supported too" 1 "$hnsw" "SELECT id FROM items ORDER BY embedding <#> wanted() LIMIT 5" "$(body "wanted() RETURNS vector" sql "SELECT @f"); ALTER FUNCTION wanted SUPPORT hinted_exemplar_support"
shape "a volatile function, supported too" 0 "!InitPlan" "SELECT count(DISTINCT n()) FROM other" "CREATE SEQUENCE s; CREATE FUNCTION n() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN nextval(''s''); END' SUPPORT hinted_exemplar_support"
shape "SQL function, not inlined" 1 "" "SELECT nearest()" "$(body "nearest() RETURNS int" sql "SELECT id FROM items ORDER BY embedding <#> @f LIMIT 1")"
shape "a column of the explained fit" 1 "$hnsw" "SELECT id FROM items ORDER BY embedding <#> @e LIMIT 5"
shape "the report" 1 "$hnsw" "SELECT id FROM items ORDER BY embedding <#> @r LIMIT 5"
shape "the explained fit in FROM" 1 "$hnsw" "SELECT id FROM items ORDER BY embedding <#> (SELECT weights FROM ${f/hinted_exemplar/hinted_exemplar_fit}) LIMIT 5"
shape "set-returning SQL function, inlined" 1 "$hnsw" "SELECT n FROM nearest(5) n" "$(body "nearest(int) RETURNS SETOF int" sql "SELECT id FROM items ORDER BY embedding <#> @f LIMIT \$1")"
shape "set-returning SQL function of the fit, inlined" 1 "$hnsw" "SELECT n FROM nearest(@h) n" "$(body "nearest(vector) RETURNS SETOF int" sql "SELECT id FROM items ORDER BY embedding <#> \$1 LIMIT 5")"
shape "set-returning SQL function of the fit, not inlined" 1 "Function Scan" "SELECT n FROM nearest(@f) n" "$(body "nearest(vector) RETURNS SETOF int" sql "SELECT id FROM items ORDER BY embedding <#> \$1 LIMIT 5")"
shape "set-returning SQL function, not inlined" 1 "" "SELECT nearest(5)" "$(body "nearest(int) RETURNS SETOF int" sql "SELECT id FROM items ORDER BY embedding <#> @f LIMIT \$1")"
shape "PL/pgSQL, SQL statement" 1 "" "SELECT nearest()" "$(body "nearest() RETURNS SETOF int" plpgsql "BEGIN RETURN QUERY $nearest; END")"
shape "PL/pgSQL, simple expression" 1 "" "SELECT vector_dims(fit())" "$(body "fit() RETURNS vector" plpgsql "BEGIN RETURN @h; END")"
shape "PL/pgSQL, simple expressions in a loop" 1 "" "SELECT vector_dims(fit())" "$(body "fit() RETURNS vector" plpgsql "DECLARE w vector; BEGIN FOR i IN 1..10 LOOP w := @h; END LOOP; RETURN w; END")"
shape "PL/pgSQL, statements in a loop" 3 "" "SELECT nearest()" "$(body "nearest() RETURNS SETOF int" plpgsql "BEGIN FOR i IN 1..3 LOOP RETURN QUERY $nearest; END LOOP; END")"

echo "-- functions that are inlined, beside the call and around it"
# inlined NAME BODY ATTRIBUTES: an SQL function.
inlined() { echo "CREATE FUNCTION $1 LANGUAGE sql $3 AS \$body\$ $2 \$body\$"; }
for kind in "STABLE PARALLEL SAFE" "STABLE PARALLEL RESTRICTED" STABLE "IMMUTABLE PARALLEL SAFE" "IMMUTABLE PARALLEL RESTRICTED" IMMUTABLE; do
    twice=$(inlined "twice(int) RETURNS int" "SELECT \$1 * 2" "$kind")
    distance=$(inlined "distance(vector, vector) RETURNS float8" "SELECT \$1 <#> \$2" "$kind")
    shape "before the call, $kind" 1 "$hnsw" "SELECT twice(class), id, embedding <#> @f AS d FROM items ORDER BY d LIMIT 5" "$twice"
    shape "behind the call, $kind" 1 "$hnsw" "SELECT embedding <#> @f AS d, id, twice(class) FROM items ORDER BY d LIMIT 5" "$twice"
    shape "in WHERE, $kind" 1 "$hnsw" "SELECT id FROM items WHERE twice(class) < 6 ORDER BY embedding <#> @f LIMIT 5" "$twice"
    shape "in the same expression, $kind" 1 "InitPlan" "SELECT id FROM items ORDER BY twice(class) + (embedding <#> @f), id LIMIT 5" "$twice"
    shape "around the call, $kind" 1 "$hnsw" "SELECT id FROM items ORDER BY distance(embedding, @f) LIMIT 5" "$distance"
    shape "inside the call, $kind" 1 "$hnsw" "SELECT id FROM items ORDER BY embedding <#> hinted_exemplar(source => 'items', embedding => 'embedding', sample_size => 200, exemplar => same((SELECT embedding FROM items WHERE id = 42))) LIMIT 5" \
        "$(inlined "same(vector) RETURNS vector" "SELECT \$1" "$kind")"
    shape "in a view, $kind" 1 "$hnsw" "SELECT c, id FROM v ORDER BY d LIMIT 5" "$twice; CREATE VIEW v AS SELECT id, twice(class) AS c, embedding <#> @f AS d FROM items"
    shape "in GROUP BY, $kind" 1 "InitPlan" "SELECT twice(class), min(embedding <#> @f) FROM items GROUP BY twice(class) ORDER BY 1" "$twice"
    shape "in a policy, $kind" 1 "InitPlan" "SELECT twice(class), id FROM other ORDER BY embedding <#> @f LIMIT 5" \
        "$twice; CREATE ROLE planner_reader; GRANT SELECT ON other, items TO planner_reader; ALTER TABLE other ENABLE ROW LEVEL SECURITY; CREATE POLICY even ON other USING (twice(class) < 6); SET ROLE planner_reader"
    shape "beside the call on a source under row security, $kind" 1 "$hnsw" "SELECT twice(class), id FROM items ORDER BY embedding <#> hinted_exemplar(source => 'other', embedding => 'embedding', exemplar => '[1,2,3,4,5,6,7,8]', sample_size => 10) LIMIT 5" \
        "$twice; CREATE ROLE planner_reader; GRANT SELECT ON other, items TO planner_reader; ALTER TABLE other ENABLE ROW LEVEL SECURITY; CREATE POLICY near ON other USING (id < 50); SET ROLE planner_reader"
    shape "in a CASE beside the call, $kind" 1 "$hnsw" "SELECT CASE WHEN twice(class) > 4 THEN 1 END, id FROM items ORDER BY embedding <#> @f LIMIT 5" "$twice"
    shape "in an EXISTS beside the call, $kind" 1 "$hnsw" "SELECT id, EXISTS (SELECT FROM other o WHERE o.id = twice(i.id)) FROM items i ORDER BY embedding <#> @f LIMIT 5" "$twice"
    shape "in FROM beside the call, $kind" 1 "InitPlan" "SELECT id, n FROM items, twice(3) n ORDER BY embedding <#> @f LIMIT 5" "$twice"
done
for kind in "STABLE PARALLEL SAFE" "STABLE PARALLEL RESTRICTED" STABLE; do
    wanted=$(inlined "wanted() RETURNS vector" "SELECT @h" "$kind")
    shape "with the call in it, $kind" 1 "$hnsw" "SELECT id FROM items ORDER BY embedding <#> wanted() LIMIT 5" "$wanted"
    shape "with a call in it, beside another, $kind" 2 "$hnsw" "SELECT id, embedding <#> @f FROM items ORDER BY embedding <#> wanted() LIMIT 5" "$wanted"
    shape "with the call in it, in a function with it in it, $kind" 1 "$hnsw" "SELECT id FROM items ORDER BY near(embedding) LIMIT 5" "$wanted; $(inlined "near(vector) RETURNS float8" "SELECT \$1 <#> wanted()" "$kind")"
    shape "with the call in it, in an EXISTS, $kind" 1 "" "SELECT count(*) FROM other o WHERE o.id = 1 OR EXISTS (SELECT FROM items i WHERE i.id = o.id AND i.embedding <#> wanted() < 0)" "$wanted"
    # As integers: of -0 and 0, which are one group, either may stand for it.
    shape "with the call in it, grouped by, $kind" 1 "" "SELECT round(embedding <#> wanted())::int AS d, count(*) FROM items GROUP BY round(embedding <#> wanted())::int HAVING count(*) > 0 ORDER BY 1" "$wanted"
done
refused "a call in a CASE of an inlined function that comes to it" "exemplar must not be null" \
    "$(inlined "unless(bool) RETURNS vector" "SELECT CASE WHEN \$1 THEN hinted_exemplar(source => 'items', embedding => 'embedding', exemplar => NULL) END" "STABLE PARALLEL SAFE"); SELECT count(unless(class = 0)) FROM items"
shape "a call in a CASE of an inlined function that never comes to it" 0 "" "SELECT count(unless(class < 0)), min(twice(class)) FROM items" \
    "$(inlined "twice(int) RETURNS int" "SELECT \$1 * 2" "STABLE PARALLEL SAFE"); $(inlined "unless(bool) RETURNS vector" "SELECT CASE WHEN \$1 THEN hinted_exemplar(source => 'items', embedding => 'embedding', exemplar => NULL) END" "STABLE PARALLEL SAFE")"
shape "a call in a CASE that never comes to it, beside another call" 1 "InitPlan" "SELECT CASE WHEN class < 0 THEN hinted_exemplar(source => 'items', embedding => 'embedding', exemplar => NULL) END, id FROM items ORDER BY embedding <#> @f LIMIT 5"

echo "-- a fit for each row, where nothing can be done about it here"
# warnings STATEMENT BEFORE: how many warnings it gives.
warnings() { run "$(called "$2")" "$(called "$1")" "" | grep -c '^WARNING:  the same exemplar SVM was fitted 100 times in one statement' || true; }
volatile="CREATE FUNCTION wanted() RETURNS vector LANGUAGE plpgsql AS \$body\$ DECLARE w vector; BEGIN SELECT hinted_exemplar(source => 'items', embedding => 'embedding', sample_size => 20, exemplar => '[1,2,3,4,5,6,7,8]') INTO w; RETURN w; END \$body\$"
check "a function that is run for each row is warned of, once" [ "$(warnings "SELECT count(embedding <#> wanted()) FROM items WHERE id <= 250" "$volatile")" = 1 ]
check "and not for fewer rows" [ "$(warnings "SELECT count(embedding <#> wanted()) FROM items WHERE id < 100" "$volatile")" = 0 ]
check "and again by the next statement" [ "$(warnings "SELECT count(embedding <#> wanted()) FROM items WHERE id <= 100; SELECT count(embedding <#> wanted()) FROM items WHERE id <= 100" "$volatile")" = 2 ]
check "as a call in a CASE on a source under row security is" [ "$(warnings "SELECT count(CASE WHEN class >= 0 THEN embedding <#> hinted_exemplar(source => 'other', embedding => 'embedding', exemplar => '[1,2,3,4,5,6,7,8]', sample_size => 10) END) FROM items WHERE id <= 150" \
    "CREATE ROLE planner_reader; GRANT SELECT ON other, items TO planner_reader; ALTER TABLE other ENABLE ROW LEVEL SECURITY; CREATE POLICY near ON other USING (id < 50); SET ROLE planner_reader")" = 1 ]
check "a fit for each of many examples is not" [ "$(warnings "SELECT count(vector_dims(hinted_exemplar(source => 'items', embedding => 'embedding', sample_size => 20, exemplar => embedding))) FROM items WHERE id <= 150" "")" = 0 ]

echo "-- calls within calls"
refused "a view with a call on itself" "stack depth limit exceeded" \
    "CREATE VIEW self AS SELECT NULL::vector(8) AS v FROM items; CREATE OR REPLACE VIEW self AS SELECT hinted_exemplar(source => 'self', embedding => 'v', exemplar => '[1,2,3,4,5,6,7,8]')::vector(8) AS v FROM items; SELECT v FROM self"
refused "a filter with a search by itself" "stack depth limit exceeded" \
    "CREATE FUNCTION again() RETURNS bool LANGUAGE plpgsql AS \$body\$ BEGIN RETURN EXISTS (SELECT FROM hinted_exemplar_search('items', 'embedding', exemplar => '[1,2,3,4,5,6,7,8]', sample_size => 20, k => 1, filter => 'again()')); END \$body\$; SELECT again()"
refused "the same, whose error is caught on each level" "stack depth limit exceeded" \
    "CREATE FUNCTION again() RETURNS bool LANGUAGE plpgsql AS \$body\$ BEGIN RETURN EXISTS (SELECT FROM hinted_exemplar_search('items', 'embedding', exemplar => '[1,2,3,4,5,6,7,8]', sample_size => 20, k => 1, filter => 'again()')); EXCEPTION WHEN division_by_zero THEN RETURN false; END \$body\$; SELECT again()"
check "and the session goes on" is_true "vector_dims($h) = 8"

echo "-- what is not a query"
shape "CHECK constraint" 1 "" "INSERT INTO other SELECT * FROM items WHERE id <= 20" "ALTER TABLE other ADD CHECK (embedding <#> @h < 100)" "SELECT count(*) FROM other"
shape "CHECK constraint, added" 1 "" "ALTER TABLE other ADD CHECK (embedding <#> @h < 100)" "" "SELECT count(*) FROM other"
shape "column default" 1 "" "INSERT INTO other (id) SELECT generate_series(201, 220)" "ALTER TABLE other ALTER embedding SET DEFAULT @h" "SELECT DISTINCT embedding FROM other WHERE id > 200"
shape "trigger's WHEN" 1 "" "UPDATE other SET class = -1" "CREATE TRIGGER t BEFORE UPDATE ON other FOR EACH ROW WHEN (OLD.embedding <#> @h > -10) EXECUTE FUNCTION suppress_redundant_updates_trigger()" "SELECT count(*) FROM other WHERE class = -1"
shape "rule" 1 "InitPlan" "DELETE FROM other WHERE id = 1" "CREATE RULE r AS ON DELETE TO other DO INSTEAD UPDATE other SET class = -1 WHERE embedding <#> @f < -0.5" "SELECT count(*) FROM other WHERE class = -1"
shape "CALL" 1 "" "CALL wanted(@h)" "CREATE PROCEDURE wanted(INOUT vector) LANGUAGE plpgsql AS 'BEGIN END'"
shape "a parameter of EXECUTE" 1 "" "EXECUTE s(@h)" "PREPARE s (vector) AS SELECT id FROM items ORDER BY embedding <#> \$1 LIMIT 5"
refused "index expression" "functions in index expression must be marked IMMUTABLE" "CREATE INDEX ON items ((embedding <#> @h))"
refused "index predicate" "functions in index predicate must be marked IMMUTABLE" "CREATE INDEX ON items (id) WHERE embedding <#> @h < 0"
refused "generated column" "generation expression is not immutable" "ALTER TABLE items ADD d float8 GENERATED ALWAYS AS (embedding <#> @h) STORED"
refused "partition key" "functions in partition key expression must be marked IMMUTABLE" "CREATE TABLE bad (e vector(8)) PARTITION BY RANGE ((e <#> @h))"
refused "policy on the table it is fitted against" "stack depth limit exceeded" \
    "CREATE ROLE planner_reader; GRANT SELECT ON items TO planner_reader; ALTER TABLE items ENABLE ROW LEVEL SECURITY; CREATE POLICY near ON items USING (embedding <#> @h < 0); SET ROLE planner_reader; SELECT count(*) FROM items"
refused "null example" "exemplar must not be null" "SELECT id FROM items ORDER BY embedding <#> hinted_exemplar(source => 'items', embedding => 'embedding', exemplar => (SELECT embedding FROM items WHERE id = 0)) LIMIT 5"

echo "-- data that changes within a transaction"
l="hinted_exemplar(source => 'other', embedding => 'embedding', sample_size => 50, exemplar => '[1,2,3,4,5,6,7,8]')"
# A loop of a simple expression, whose call site lasts: DO_BEFORE each fit, and how many different answers there are.
loop() { echo "DO \$do\$ DECLARE w vector; answers vector[]; BEGIN FOR i IN 1..3 LOOP $1; w := $2; answers := answers || w; END LOOP;
    CREATE TEMP TABLE answers AS SELECT count(DISTINCT a::text) FROM unnest(answers) a; END \$do\$"; }
changes() { shape "$1" "$2" "" "$(loop "$4" "${6:-$l}")" "${5:-}" "SELECT * FROM answers"; check "$1: $3 answers" \
    [ "$(run "${5:-}" "$(loop "$4" "${6:-$l}")" "SELECT 'answers ' || count FROM answers" | grep answers)" = "answers $3" ]; }
changes "nothing" 1 1 "NULL"
changes "rows added" 3 3 "INSERT INTO other SELECT id + 10000 * i, class, embedding FROM other WHERE class = i AND id < 10000"
changes "rows deleted" 3 3 "DELETE FROM other WHERE class = i"
changes "rows updated" 3 3 "UPDATE other SET embedding = '[1,1,1,1,1,1,1,1]' WHERE class = i"
changes "rows added and undone" 3 1 "BEGIN INSERT INTO other SELECT id + 10000, class, embedding FROM other; RAISE 'undo'; EXCEPTION WHEN raise_exception THEN NULL; END"
changes "example" 3 3 "NULL" "" "hinted_exemplar(source => 'other', embedding => 'embedding', sample_size => 50, exemplar => ARRAY[i,2,3,4,5,6,7,8]::vector)"
changes "seed" 3 3 "NULL" "" "hinted_exemplar(source => 'other', embedding => 'embedding', sample_size => 50, exemplar => '[1,2,3,4,5,6,7,8]', seed => i)"
tenants="CREATE ROLE planner_reader; GRANT SELECT ON other TO planner_reader; GRANT CREATE, TEMP ON DATABASE planner TO planner_reader;
    ALTER TABLE other ENABLE ROW LEVEL SECURITY; CREATE POLICY tenant ON other USING (class = current_setting('test.tenant')::int); SET ROLE planner_reader"
changes "the setting that a policy reads" 3 3 "PERFORM set_config('test.tenant', i::text, true)" "$tenants"

echo "-- execution"
parallel="SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET enable_indexscan = off"
export SEQSCAN=on
shape "parallel scan" 1 "InitPlan,Gather,Parallel Seq Scan" "$nearest" "$parallel"
shape "parallel scan without the leader" 1 "InitPlan,Gather,Parallel Seq Scan" "$nearest" "$parallel; SET parallel_leader_participation = off"
shape "parallel WHERE" 1 "InitPlan,Gather,Parallel Seq Scan" "SELECT count(*) FROM items WHERE embedding <#> @f < 0" "$parallel"
shape "parallel partitions" 1 "InitPlan,Gather" "SELECT id FROM parts ORDER BY embedding <#> @f LIMIT 5" "$parallel"
shape "parallel, CASE that does not need it" 0 "!Gather" "SELECT count(*) FROM items WHERE CASE WHEN id > 0 THEN true ELSE embedding <#> @f < 0 END" "$parallel"
shape "parallel, CASE in an inlined function" 0 "!Gather" "SELECT count(*) FROM items WHERE near(id, embedding)" "$parallel; $(body "near(int, vector) RETURNS bool" sql "SELECT CASE WHEN \$1 > 0 THEN true ELSE \$2 <#> @h < 0 END" "PARALLEL RESTRICTED")"
check "EXPLAIN ANALYZE: 1" [ "$(fits_in "$(run "" "EXPLAIN ANALYZE $(called "$nearest")" "")")" = 1 ]
shape "sequential scan" 1 "InitPlan,Seq Scan" "$nearest" "SET enable_indexscan = off"
shape "sequential scan with JIT" 1 "InitPlan,Seq Scan" "$nearest" "SET enable_indexscan = off; SET jit = on; SET jit_above_cost = 0; SET jit_inline_above_cost = 0; SET jit_optimize_above_cost = 0"
shape "CASE with JIT" 1 "" "SELECT sum(CASE WHEN class = 1 THEN embedding <#> @f END) FROM items" "SET jit = on; SET jit_above_cost = 0"
unset SEQSCAN
finish
