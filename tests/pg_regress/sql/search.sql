-- The search function: what it returns, and from what.
SET client_min_messages = warning;
SET jit = off;
CREATE EXTENSION hinted_exemplar CASCADE;
SELECT setseed(0.5);
CREATE TABLE items (id int, class int, embedding vector(8));
INSERT INTO items SELECT i, i % 20, (SELECT array_agg((random() - 0.5 + CASE WHEN k = 1 THEN 1 WHEN k = 2 + i % 7 THEN 0.3 ELSE 0 END)::real ORDER BY k)
                                     FROM generate_series(1, 8) k)::vector FROM generate_series(1, 5000) i;
UPDATE items SET embedding = l2_normalize(embedding);
VACUUM FULL items;
CREATE TABLE vectors AS SELECT embedding AS x, '[1,0.8,0,0,0,0,0,0]'::vector AS q, hinted_exemplar('items', 'embedding', exemplar => embedding, hint => '[1,0.8,0,0,0,0,0,0]') AS w FROM items WHERE id = 7;
-- What an exact scan finds, in order of distance, table and place.
CREATE FUNCTION exact(source regclass, k int, filter text DEFAULT 'true') RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE found text[];
BEGIN
    EXECUTE format('SELECT array_agg(place) FROM (SELECT tableoid::regclass || ctid::text AS place FROM %s WHERE (%s
) ORDER BY (embedding <#> (SELECT w FROM vectors)) + 0, tableoid, ctid LIMIT %s) t', source, filter, k) INTO found;
    RETURN coalesce(found, '{}');
END $$;
-- Whether a search finds these, with the distances that a query computes.
CREATE FUNCTION finds(source regclass, k int, filter text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text[]; ordered boolean;
BEGIN
    EXECUTE format('UPDATE vectors SET w = hinted_exemplar(%L, ''embedding'', exemplar => x, hint => q, sample_size => 500, source_filter => %L)', source, filter);
    EXECUTE format('SELECT array_agg(s.tableoid::regclass || s.ctid::text ORDER BY ordinality), coalesce(bool_and(s.distance = t.embedding <#> w), true)
                    FROM vectors, LATERAL hinted_exemplar_search(%L, ''embedding'', exemplar => x, hint => q, sample_size => 500, k => %s, filter => %L) WITH ORDINALITY s
                    JOIN %s t ON t.tableoid = s.tableoid AND t.ctid = s.ctid', source, k, filter, source)
    INTO found, ordered;
    RETURN cardinality(coalesce(found, '{}')) || CASE WHEN NOT ordered THEN ' rows with other distances' WHEN coalesce(found, '{}') = exact(source, k, coalesce(filter, 'true')) THEN ' rows' ELSE ' other rows' END;
END $$;
UPDATE vectors SET w = hinted_exemplar('items', 'embedding', exemplar => x, hint => q, sample_size => 500);
-- Without an index, with each kind of index, and of an index that orders by another distance.
SELECT finds('items', 20) AS no_index;
CREATE INDEX cosine ON items USING hnsw (embedding vector_cosine_ops);
SELECT finds('items', 20) AS other_operator;
DROP INDEX cosine;
CREATE INDEX lists ON items USING ivfflat (embedding vector_ip_ops) WITH (lists = 5);
SELECT count(*), bool_and(id > 0) AS found FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, hint => q) s JOIN items ON items.ctid = s.ctid;
DROP INDEX lists;
CREATE INDEX graph ON items USING hnsw (embedding vector_ip_ops);
ANALYZE items;
SET enable_seqscan = off;
SELECT finds('items', 1) AS best, finds('items', 20) AS some, finds('items', 300) AS many;
-- By default 20.
SELECT count(*) FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, hint => q);
-- A condition: k rows that satisfy it if there are as many, however few, and none if there are none.
SELECT finds('items', 20, 'class = 3') AS some, finds('items', 20, 'id % 500 = 0') AS few, finds('items', 20, 'id < 0') AS none, finds('items', 20, 'items.class IN (SELECT 4)') AS sub_select,
       finds('items', 20, 'class = 3 AND id < 0 OR class = 2 -- or so') AS comment, finds('items', 20, 'NULL') AS null;
-- More than there are.
SELECT count(*), count(DISTINCT s.ctid) FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, hint => q, k => 10000) s;
-- Ties are in order of their places, and an index gives all of them.
CREATE TABLE ties (embedding vector(8));
INSERT INTO ties SELECT embedding FROM items, generate_series(1, 30) WHERE id < 100;
UPDATE vectors SET w = hinted_exemplar('ties', 'embedding', exemplar => x, hint => q, sample_size => 500);
SELECT finds('ties', 20) AS no_index, finds('ties', 65) AS more;
CREATE INDEX ON ties USING hnsw (embedding vector_ip_ops);
SELECT count(*), bool_and(s.distance >= previous) AS ordered, count(*) FILTER (WHERE s.distance = previous AND s.ctid < before) AS out_of_order
FROM (SELECT s.*, lag(s.distance) OVER w AS previous, lag(s.ctid) OVER w AS before FROM vectors, LATERAL hinted_exemplar_search('ties', 'embedding', exemplar => x, hint => q, k => 60) WITH ORDINALITY s WINDOW w AS (ORDER BY ordinality)) s;
-- Settings are as before, also after an error; larger ones are kept.
SHOW hnsw.ef_search;
SELECT count(*) FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, filter => '1 / (id - id) > 0');
\echo :LAST_ERROR_SQLSTATE
SELECT current_setting('hnsw.ef_search') AS ef_search, current_setting('hnsw.iterative_scan') AS iterative_scan;
SET hnsw.ef_search = 1000;
SET hnsw.iterative_scan = strict_order;
SELECT count(*) FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x);
SELECT current_setting('hnsw.ef_search') AS ef_search, current_setting('hnsw.iterative_scan') AS iterative_scan;
RESET hnsw.ef_search;
RESET hnsw.iterative_scan;
-- The planner knows k, where it is known before.
CREATE FUNCTION rows_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan; RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows'; END $$;
SELECT rows_of($$SELECT FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]')$$) AS by_default,
       rows_of($$SELECT FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]', k => 2 + 5)$$) AS given,
       rows_of($$SELECT FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]', k => (random() * 10)::int)$$) AS unknown;
RESET enable_seqscan;
EXPLAIN (COSTS OFF) SELECT id FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]') s JOIN items ON items.ctid = s.ctid ORDER BY distance;
-- Partitions, with and without an index, and children; an index on one of them only.
CREATE TABLE parted (id int, class int, embedding vector(8)) PARTITION BY LIST (class);
CREATE TABLE parted_a PARTITION OF parted FOR VALUES IN (0, 1, 2, 3, 4, 5, 6);
CREATE TABLE parted_b PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT * FROM items;
UPDATE vectors SET w = hinted_exemplar('parted', 'embedding', exemplar => x, hint => q, sample_size => 500);
SELECT finds('parted', 20) AS no_index, finds('parted', 20, 'class < 9') AS filtered;
CREATE INDEX ON parted_a USING hnsw (embedding vector_ip_ops);
SET enable_seqscan = off;
SELECT finds('parted', 20) AS one_index, finds('parted', 20, 'class < 9') AS filtered;
CREATE INDEX ON parted USING hnsw (embedding vector_ip_ops);
SELECT finds('parted', 20) AS indexes, finds('parted', 20, 'class < 9') AS filtered;
RESET enable_seqscan;
ANALYZE parted;
EXPLAIN (COSTS OFF) SELECT id FROM hinted_exemplar_search('parted', 'embedding', hint => '[1,0,0,0,0,0,0,0]') s JOIN parted p ON p.tableoid = s.tableoid AND p.ctid = s.ctid;
CREATE TABLE child () INHERITS (items);
INSERT INTO child SELECT id, class, embedding FROM items WHERE class = 3;
UPDATE vectors SET w = hinted_exemplar('items', 'embedding', exemplar => x, hint => q, sample_size => 500);
SELECT finds('items', 20) AS inherited;
-- Row-level security: rows that the caller may see, k of them.
CREATE ROLE regress_searcher;
CREATE ROLE regress_stranger;
GRANT SELECT ON items, child, vectors TO regress_searcher;
GRANT SELECT (embedding) ON items TO regress_stranger;
GRANT SELECT ON vectors TO regress_stranger;
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON items USING (class = 3);
GRANT UPDATE ON vectors TO regress_searcher;
SET ROLE regress_searcher;
UPDATE vectors SET w = hinted_exemplar('items', 'embedding', exemplar => x, hint => q, sample_size => 500);
SELECT finds('items', 20) AS by_policy, finds('items', 20, 'id < 2000') AS filtered_too;
SET enable_seqscan = off;
SELECT finds('items', 20) AS by_index;
RESET enable_seqscan;
-- A place is not a column: the privilege on the table is needed, and a filter is run as the caller.
SET ROLE regress_stranger;
SELECT count(*) FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x);
\echo :LAST_ERROR_SQLSTATE
SET ROLE regress_searcher;
SELECT count(*) FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, filter => 'EXISTS (SELECT FROM parted)');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DROP OWNED BY regress_searcher, regress_stranger;
DROP ROLE regress_searcher, regress_stranger;
DROP TABLE child;
ALTER TABLE items DISABLE ROW LEVEL SECURITY;
-- Other types, materialized and other views.
CREATE TABLE halves AS SELECT id, embedding::halfvec(8) FROM items;
CREATE INDEX ON halves USING hnsw (embedding halfvec_ip_ops);
CREATE TABLE sparse AS SELECT id, embedding::sparsevec(8) FROM items;
CREATE TABLE reals AS SELECT id, embedding::real[] FROM items;
CREATE MATERIALIZED VIEW stored AS SELECT * FROM items;
CREATE VIEW plain AS SELECT * FROM items WHERE class < 10;
SELECT source, count(*), count(DISTINCT s.ctid) AS places, bool_and(s.tableoid = source::regclass) AS tables FROM vectors, unnest('{halves,sparse,reals,stored}'::text[]) source, LATERAL hinted_exemplar_search(source, 'embedding', exemplar => x, hint => q) s GROUP BY source ORDER BY source;
SELECT count(*) FROM hinted_exemplar_search('plain', 'embedding', hint => '[1,0,0,0,0,0,0,0]');
\echo :LAST_ERROR_SQLSTATE
-- Where a set may stand: several searches at once, the target list, a prepared statement, a cursor, a read-only transaction.
SELECT i.id, count(*) FROM items i, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => i.embedding, k => i.id) s WHERE i.id BETWEEN 3 AND 5 GROUP BY i.id ORDER BY i.id;
SELECT count(s) FROM (SELECT hinted_exemplar_search('items', 'embedding', hint => q, k => 3) AS s FROM vectors) t;
PREPARE search (vector, int, text) AS SELECT count(*) FROM hinted_exemplar_search('items', 'embedding', exemplar => $1, k => $2, filter => $3);
EXECUTE search ('[1,1,0,0,0,0,0,0]', 4, 'class > 4');
BEGIN READ ONLY;
DECLARE c CURSOR FOR SELECT s.distance <= 0 AS negative FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]') s;
FETCH 2 FROM c;
COMMIT;
-- Own changes are seen, and others' are not: a place is that of the row that the statement sees.
BEGIN;
UPDATE items SET class = 77 WHERE id = 7;
SELECT i.id, i.class FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, filter => 'class >= 20') s JOIN items i ON i.ctid = s.ctid;
ROLLBACK;
-- Arguments that are not right.
SELECT FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]', k => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]', k => NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT FROM hinted_exemplar_search('items', 'embedding');
\echo :LAST_ERROR_SQLSTATE
SELECT FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]', filter => '');
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION error_of(filter text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
    PERFORM FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]', filter => filter);
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || SQLERRM || coalesce('; ' || nullif(detail, ''), '');
END $$;
SELECT filter, error_of(filter) FROM unnest(ARRAY['id = 1) OR (true', 'true) --', 'true; DROP TABLE items', 'true ORDER BY id', 'true FROM items', 'true WHERE true', 'true LIMIT 1', 'true, false', 'true AS yes', 'true UNION SELECT true',
    '/* true', 'id =', 'SELECT true', '*', 'id', 'colour = 1', 'id = $1', 'embedding <> $1', 'count(*) > 1', 'generate_series(1, 2) > 1', 'id = ''x''', 'true FOR UPDATE', 'DISTINCT true', '(SELECT true)', 'true']) filter;
SELECT count(*) AS still_there FROM items;
-- A parallel plan, and one in a parallel query.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
DROP INDEX graph;
UPDATE vectors SET w = hinted_exemplar('items', 'embedding', exemplar => x, hint => q, sample_size => 500);
SELECT finds('items', 20) AS parallel;
