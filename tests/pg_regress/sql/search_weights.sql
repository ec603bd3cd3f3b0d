-- A search by stored weights, and what it says of its recall.
SET client_min_messages = warning;
SET jit = off;
CREATE EXTENSION hinted_exemplar CASCADE;
SELECT setseed(0.5);
CREATE TABLE items (id int, embedding vector(8));
INSERT INTO items SELECT i, l2_normalize((SELECT array_agg((random() - 0.5 + CASE WHEN k = 1 THEN 1 WHEN k = 2 + i % 7 THEN 0.3 ELSE 0 END)::real ORDER BY k)
                     FROM generate_series(1, 8) k)::vector) FROM generate_series(1, 4000) i;
CREATE TABLE saved AS SELECT embedding AS x, '[1,0.8,0,0,0,0,0,0]'::vector AS q, f.weights, f.scale, f.bias
FROM items, LATERAL hinted_exemplar_fit('items', 'embedding', exemplar => embedding, hint => '[1,0.8,0,0,0,0,0,0]') f WHERE id = 7;
-- The rows, distances and margins of the search that fits it, by all rows and by an index.
CREATE FUNCTION compare() RETURNS TABLE (rows bigint, same boolean, recall float8) LANGUAGE sql AS $$
SELECT count(*), bool_and(a IS NOT DISTINCT FROM b), min(b.recall)
FROM saved, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, hint => q, key => 'id') WITH ORDINALITY a
JOIN saved s ON true, LATERAL hinted_exemplar_search('items', 'embedding', weights => s.weights, scale => s.scale, bias => s.bias, key => 'id') WITH ORDINALITY b
WHERE a.ordinality = b.ordinality $$;
SELECT * FROM compare();
-- Longer weights rank the same, and their distances are longer.
SELECT count(*), bool_and(a.key = b.key AND abs(3 * a.distance - b.distance) < 1e-5) AS longer, count(a.margin) AS margins
FROM saved, LATERAL hinted_exemplar_search('items', 'embedding', weights => weights, key => 'id') WITH ORDINALITY a,
     LATERAL hinted_exemplar_search('items', 'embedding', weights => (SELECT array_agg(3 * v)::vector FROM unnest(weights::real[]) v), key => 'id') WITH ORDINALITY b
WHERE a.ordinality = b.ordinality;
SELECT count(*), bool_and(key::int < 100) AS filtered FROM saved, LATERAL hinted_exemplar_search('items', 'embedding', weights => weights, filter => 'id < 100', key => 'id');
CREATE INDEX ON items USING hnsw (embedding vector_ip_ops);
SET enable_seqscan = off;
SELECT rows, same, recall BETWEEN 0 AND 1 AS measured FROM compare();
SELECT count(*), bool_and(recall > 0.8) AS measured FROM saved, LATERAL hinted_exemplar_search('items', 'embedding', weights => weights);
-- A sample of a row or two is no measure, and all rows are looked at where an index has too few.
SELECT count(*), count(recall) AS measured FROM saved, LATERAL hinted_exemplar_search('items', 'embedding', weights => weights, sample_size => 1);
SELECT count(*), min(recall) AS recall FROM saved, LATERAL hinted_exemplar_search('items', 'embedding', weights => weights, k => 5000);
RESET enable_seqscan;
-- What cannot be.
\set VERBOSITY terse
SELECT FROM hinted_exemplar_search('items', 'embedding', weights => '[1,0,0,0,0,0,0,0]', hint => '[1,0,0,0,0,0,0,0]');
SELECT FROM hinted_exemplar_search('items', 'embedding', weights => '[1,0,0]');
SELECT FROM hinted_exemplar_search('items', 'embedding', weights => '[0,0,0,0,0,0,0,0]');
SELECT FROM hinted_exemplar_search('items', 'embedding');
