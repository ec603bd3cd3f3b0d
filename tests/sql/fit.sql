SET client_min_messages = warning;
CREATE EXTENSION hinted_exemplar CASCADE;
-- A table without a primary key: a background of 5,000 rows round one direction.
SELECT setseed(0.5);
CREATE TABLE items (class int, embedding vector(8));
INSERT INTO items SELECT i % 20, (SELECT array_agg((random() - 0.5 + CASE WHEN k = 1 THEN 1 WHEN k = 2 + i % 7 THEN 0.3 ELSE 0 END)::real ORDER BY k)
                                  FROM generate_series(1, 8) k)::vector FROM generate_series(1, 5000) i;
CREATE VIEW example AS SELECT embedding AS x, '[1,0.8,0,0,0,0,0,0]'::vector AS q FROM items WHERE ctid = '(0,7)';
CREATE FUNCTION rounded(w vector) RETURNS numeric[] LANGUAGE sql AS 'SELECT array_agg(round(e::numeric, 2)) FROM unnest(w::real[]) e';
CREATE FUNCTION cosine(a vector, b vector) RETURNS numeric LANGUAGE sql AS 'SELECT round((1 - (a <=> b))::numeric, 3)';
-- Always of unit length; with and without a hint, and with a hint alone.
SELECT round(vector_norm(hinted_exemplar('items', 'embedding', exemplar => x))::numeric, 6) AS exemplar,
       round(vector_norm(hinted_exemplar('items', 'embedding', exemplar => x, hint => q))::numeric, 6) AS both,
       round(vector_norm(hinted_exemplar('items', 'embedding', hint => q))::numeric, 6) AS hint FROM example;
SELECT cosine(hinted_exemplar('items', 'embedding', hint => q), q) FROM example;
-- The same call gives the same bytes; another seed draws other rows.
SELECT hinted_exemplar('items', 'embedding', exemplar => x, hint => q)::text = hinted_exemplar('items', 'embedding', exemplar => x, hint => q)::text AS same_call,
       hinted_exemplar('items', 'embedding', exemplar => x, hint => q)::text = hinted_exemplar('items', 'embedding', exemplar => x, hint => q, seed => 1)::text AS other_seed
FROM example;
-- Singular and plural are united.
SELECT hinted_exemplar('items', 'embedding', exemplar => x, hint => q) = hinted_exemplar('items', 'embedding', exemplars => ARRAY[x], hints => ARRAY[q]) AS either,
       hinted_exemplar('items', 'embedding', exemplar => x, exemplars => ARRAY[q]) = hinted_exemplar('items', 'embedding', exemplars => ARRAY[x, q]) AS united,
       hinted_exemplar('items', 'embedding', exemplar => x, hint => NULL, hints => NULL) = hinted_exemplar('items', 'embedding', exemplar => x) AS no_hint,
       hinted_exemplar('items', 'embedding', hint => q, exemplars => '{}') = hinted_exemplar('items', 'embedding', hint => q) AS no_exemplar
FROM example;
-- hint_weight: 0 is no hint, a large one is the hint itself. lambda: larger gives a w nearer the difference of the means.
SELECT hinted_exemplar('items', 'embedding', exemplar => x, hint => q, hint_weight => 0) = hinted_exemplar('items', 'embedding', exemplar => x) AS zero,
       cosine(hinted_exemplar('items', 'embedding', exemplar => x, hint => q, hint_weight => 1e9), q) AS large,
       cosine(hinted_exemplar('items', 'embedding', exemplar => x, lambda => 1e6), x - (SELECT avg(l2_normalize(embedding)) FROM items)) AS means
FROM example;
-- Only directions count: the input is normalised.
SELECT cosine(hinted_exemplar('items', 'embedding', exemplar => x * array_fill(64::real, ARRAY[8])::vector), hinted_exemplar('items', 'embedding', exemplar => x)) AS scaled FROM example;
-- The whole table as the sample is the same problem as exemplar_svm over its rows.
SELECT cosine(hinted_exemplar('items', 'embedding', exemplar => x, hint => q, sample_size => 5000), exemplar_svm(ARRAY[x], (SELECT array_agg(embedding) FROM items), ARRAY[q])) AS both,
       cosine(hinted_exemplar('items', 'embedding', exemplar => x, sample_size => 5000), exemplar_svm(ARRAY[x], (SELECT array_agg(embedding) FROM items))) AS exemplar
FROM example;
-- Two points have a closed form.
SELECT rounded(exemplar_svm(ARRAY['[1,0]'::vector], ARRAY['[0,1]'::vector]));
-- A sample is uniform enough that the answer hardly depends on the seed.
SELECT min(cosine(hinted_exemplar('items', 'embedding', exemplar => x, hint => q, seed => s), hinted_exemplar('items', 'embedding', exemplar => x, hint => q))) > 0.97 AS stable
FROM example, generate_series(1, 10) s;
-- In a prepared statement, a function and a read-only transaction.
PREPARE search (vector, vector) AS SELECT count(*) FROM (SELECT FROM items ORDER BY embedding <#> (SELECT hinted_exemplar('items', 'embedding', exemplar => $1, hint => $2)) LIMIT 10) t;
EXECUTE search ('[1,1,0,0,0,0,0,0]', '[1,0,1,0,0,0,0,0]');
BEGIN READ ONLY;
SELECT vector_dims(hinted_exemplar('items', 'embedding', exemplar => x)) FROM example;
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
COMMIT;
-- Materialized views, temporary and unlogged tables.
CREATE MATERIALIZED VIEW m AS SELECT * FROM items;
CREATE TEMP TABLE t AS SELECT * FROM items;
CREATE UNLOGGED TABLE u AS SELECT * FROM items;
SELECT source, vector_dims(hinted_exemplar(source, 'embedding', exemplar => x)) FROM example, unnest('{m,t,u}'::regclass[]) source;
-- The caller's own uncommitted rows are seen.
BEGIN;
CREATE TABLE fresh (v vector(2));
INSERT INTO fresh VALUES ('[0,1]'), ('[1,1]');
SELECT rounded(hinted_exemplar('fresh', 'v', exemplar => '[1,0]', sample_size => 2));
ROLLBACK;
-- Too few iterations: a warning, whose DETAIL has the gradient, and the best answer so far.
\set VERBOSITY terse
SELECT vector_dims(hinted_exemplar('items', 'embedding', exemplar => x, hint => q, max_iter => 1, tol => 1e-12)) FROM example;
