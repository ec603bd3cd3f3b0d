-- Rows that differ, and searches by what is not wanted alone.
SET client_min_messages = warning;
SET jit = off;
CREATE EXTENSION hinted_exemplar CASCADE;
CREATE TABLE items (id int PRIMARY KEY, embedding vector(4));
-- Three groups, each of ten rows that are nearly the same, and a copy of one of them.
INSERT INTO items SELECT 10 * g + i, l2_normalize(ARRAY[1, 0.9 * (g = 0)::int, 0.85 * (g = 1)::int, 0.8 * (g = 2)::int + 0.01 * i]::real[]::vector) FROM generate_series(0, 2) g, generate_series(0, 9) i;
INSERT INTO items SELECT 100 + i, l2_normalize(ARRAY[0.1 * i - 3, 1, -1, 0.5]::real[]::vector) FROM generate_series(1, 40) i;
PREPARE groups (float8, int) AS SELECT array_agg(key::int / 10 ORDER BY ordinality) AS groups, bool_and(distance < 0) AS near
FROM hinted_exemplar_search('items', 'embedding', weights => '[1,0.3,0.25,0.2]', key => 'id', k => $2, diversity => $1) WITH ORDINALITY s;
EXECUTE groups (0, 6);
EXECUTE groups (0.5, 3);
-- Of rows that are all copies of each other only one is left.
EXECUTE groups (0.01, 6);
EXECUTE groups (1, 4);
SELECT (SELECT array_agg(key) FROM hinted_exemplar_search('items', 'embedding', weights => '[1,0.3,0.25,0.2]', key => 'id', k => 5))
     = (SELECT array_agg(key) FROM hinted_exemplar_search('items', 'embedding', weights => '[1,0.3,0.25,0.2]', key => 'id', k => 5, diversity => 0)) AS same_without;
CREATE INDEX ON items USING hnsw (embedding vector_ip_ops);
SET enable_seqscan = off;
EXECUTE groups (0.5, 3);
SELECT count(*), count(ctid) AS ctids FROM hinted_exemplar_search('items', 'embedding', weights => '[1,0.3,0.25,0.2]', k => 3, diversity => 0.5);
RESET enable_seqscan;
-- What is not wanted, alone, and against the mean of the table.
SELECT hinted_exemplar('items', 'embedding', counter_exemplars => '{"[1,0,0,0]"}');
SELECT hinted_exemplar('items', 'embedding', counter_hints => '{"[1,0,0,0]"}');
SELECT bool_and(key::int >= 100) AS away FROM hinted_exemplar_search('items', 'embedding', key => 'id', k => 10,
    exemplar => (SELECT avg(embedding) FROM items), counter_exemplars => ARRAY(SELECT embedding FROM items WHERE id % 10 = 0 AND id < 30));
\set VERBOSITY terse
SELECT count(*) FROM hinted_exemplar_search('items', 'embedding', weights => '[1,0,0,0]', diversity => 1.5);
SELECT count(*) FROM hinted_exemplar_search('items', 'embedding', weights => '[1,0,0,0]', diversity => NULL);
SELECT count(*) FROM hinted_exemplar_search('items', 'embedding', weights => '[1,0,0,0]', diversity => 'NaN');
