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
-- A known share is reported as it was given, the trust in a hint is between its bounds.
SELECT f.wanted_share AS given, g.wanted_share > 0 AND g.wanted_share < 1 AS estimated, g.hint_trust BETWEEN 0.05 AND 1 AS trusted, f.weights <> g.weights AS other_weights
FROM example, LATERAL hinted_exemplar_fit('items', 'embedding', exemplar => x, hint => q, expected_share => 0.2) f, LATERAL hinted_exemplar_fit('items', 'embedding', exemplar => x, hint => q) g;
-- Singular and plural are united.
SELECT hinted_exemplar('items', 'embedding', exemplar => x, hint => q) = hinted_exemplar('items', 'embedding', exemplars => ARRAY[x], hints => ARRAY[q]) AS either,
       hinted_exemplar('items', 'embedding', exemplar => x, exemplars => ARRAY[q]) = hinted_exemplar('items', 'embedding', exemplars => ARRAY[x, q]) AS united,
       hinted_exemplar('items', 'embedding', exemplar => x, hint => NULL, hints => NULL) = hinted_exemplar('items', 'embedding', exemplar => x) AS no_hint,
       hinted_exemplar('items', 'embedding', hint => q, exemplars => '{}') = hinted_exemplar('items', 'embedding', hint => q) AS no_exemplar
FROM example;
-- hint_weight: 0 is no hint, a large one is near the hint. lambda: larger gives a w nearer the difference of the means of exemplars and rows, of these without those that look wanted.
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
-- Every other argument changes the answer in the direction that it says.
CREATE TABLE vectors AS SELECT x, q, '[1,0,0,0.8,0,0,0,0]'::vector AS r, '[1,0,0,0,0,0,0,0]'::vector AS m, (SELECT embedding FROM items ORDER BY embedding <=> x OFFSET 2 LIMIT 1) AS c FROM example;
SELECT cosine(hinted_exemplar('items', 'embedding', exemplar => x, hint => q), r) AS before,
       cosine(hinted_exemplar('items', 'embedding', exemplar => x, hint => q, counter_hints => ARRAY[r]), r) AS counter_hint,
       cosine(hinted_exemplar('items', 'embedding', exemplar => x, hint => q, counter_hints => ARRAY[r], counter_hint_weight => 5), r) AS heavy,
       cosine(hinted_exemplar('items', 'embedding', exemplar => x, hint => q, counter_hints => ARRAY[r], counter_hint_weight => 0), r) AS zero FROM vectors;
SELECT cosine(hinted_exemplar('items', 'embedding', exemplar => x, hint => q), c) AS before,
       cosine(hinted_exemplar('items', 'embedding', exemplar => x, hint => q, counter_exemplars => ARRAY[c]), c) AS counter_exemplar,
       cosine(hinted_exemplar('items', 'embedding', exemplar => x, hint => q, counter_exemplars => ARRAY[c], counter_exemplar_weights => '{5}'), c) AS heavy,
       cosine(hinted_exemplar('items', 'embedding', exemplar => x, hint => q, counter_exemplars => ARRAY[c, x + c], reasons => ARRAY[r, NULL]), r) AS reason FROM vectors;
SELECT hinted_exemplar('items', 'embedding', exemplar => x, counter_exemplars => ARRAY[c], counter_exemplar_weights => '{0}') = hinted_exemplar('items', 'embedding', exemplar => x) AS zero,
       cosine(hinted_exemplar('items', 'embedding', exemplars => ARRAY[x, c], exemplar_weights => '{1,2}'), hinted_exemplar('items', 'embedding', exemplars => ARRAY[x, c, c])) AS twice,
       hinted_exemplar('items', 'embedding', exemplar => x, exemplars => ARRAY[c], exemplar_weights => '{0,1}') = hinted_exemplar('items', 'embedding', exemplar => c) AS only_second FROM vectors;
SELECT cosine(hinted_exemplar('items', 'embedding', hint => q, neutral_hint => m, neutral_fraction => 0), q) AS none,
       cosine(hinted_exemplar('items', 'embedding', hint => q, neutral_hint => m), q) AS half,
       cosine(hinted_exemplar('items', 'embedding', hint => q, neutral_hints => ARRAY[m], neutral_fraction => 1), m) AS all FROM vectors;
SELECT hinted_exemplar('items', 'embedding', exemplar => x, expand => 10) <> hinted_exemplar('items', 'embedding', exemplar => x) AS expanded,
       cosine(hinted_exemplar('items', 'embedding', exemplar => x, loss => 'logistic'), x) BETWEEN 0 AND 1 AS logistic,
       cosine(hinted_exemplar('items', 'embedding', exemplar => x, hint => q, objective => 'cosine'), q) AS cosine FROM vectors;
-- The fit explained, as a row and as JSON: every column has a value, and both say the same.
SELECT f.weights = hinted_exemplar('items', 'embedding', exemplar => x, hint => q, counter_exemplars => ARRAY[c], reasons => ARRAY[r], counter_hints => ARRAY[r], expand => 3) AS weights,
       round(objective_value::numeric, 6) = round((loss_term + regularization_term + hint_term)::numeric, 6) AS terms, round(cosine_hint::numeric, 4) = round((1 - (f.weights <=> q))::numeric, 4) AS cosine_hint,
       hint_z > 0 AS hint_z, cardinality(cosine_counter_hints) AS counter_hints, cardinality(cosine_exemplars) AS exemplars, cardinality(exemplar_margins) AS margins,
       cardinality(counter_exemplar_margins) AS counter_margins, conflicts, cardinality(false_negative_ctids) = least(false_negatives, 100) AS listed, false_negative_tables[1], iterations > 0 AS iterations,
       converged, sampled, skipped, expanded, sampling_ms > 0 AND solving_ms > 0 AS times, (SELECT array_agg(key) FROM jsonb_each(to_jsonb(f)) WHERE value = 'null') AS nulls
FROM vectors, LATERAL hinted_exemplar_fit('items', 'embedding', exemplar => x, hint => q, counter_exemplars => ARRAY[c], reasons => ARRAY[r], counter_hints => ARRAY[r], expand => 3) f;
SELECT count(*) AS false_negatives_above_the_exemplar
FROM vectors, LATERAL hinted_exemplar_fit('items', 'embedding', exemplars => ARRAY[x, (SELECT embedding FROM items WHERE ctid = '(0,9)')]) f, unnest(f.false_negative_ctids, f.false_negative_margins) s (place, margin) JOIN items ON items.ctid = place
WHERE abs(-(items.embedding <#> f.weights) / vector_norm(items.embedding) - ((margin - bias) / (exemplar_margins[1] - bias)) * cosine_exemplars[1]) > 1e-4;
SELECT (SELECT array_agg(key ORDER BY key) FROM jsonb_object_keys(report) key) AS keys, jsonb_array_length(report -> 'weights') AS dimensions, report -> 'false_negative_rows' -> 0 ->> 'table' AS false_negative
FROM vectors, LATERAL hinted_exemplar_report('items', 'embedding', exemplars => ARRAY[x, (SELECT embedding FROM items WHERE ctid = '(0,9)')], hint => q) report;
-- What contradicts what, in words.
SELECT conflicts FROM vectors, LATERAL hinted_exemplar_fit('items', 'embedding', exemplars => ARRAY['[1,-1,0,0,0,0,0,0]', '[1,1,0,0,0,0,0,0]']::vector[], hint => '[1,1,0,0,0,0,0,0]', counter_exemplars => ARRAY['[1,1.1,0,0,0,0,0,0]']::vector[]);
-- The aggregate: true is wanted, false is not, null is unjudged.
SELECT cosine(exemplar_svm_agg(embedding, verdict), hinted_exemplar('items', 'embedding', exemplar => (SELECT x FROM example), sample_size => 5000)) AS as_the_function
FROM (SELECT embedding, CASE WHEN embedding = (SELECT x FROM example) THEN true END AS verdict FROM items) judged;
SELECT class, cosine(exemplar_svm_agg(embedding, verdict, '[1,0,1,0,0,0,0,0]'), exemplar_svm(array_agg(embedding) FILTER (WHERE verdict), '{}', ARRAY['[1,0,1,0,0,0,0,0]'::vector], array_agg(embedding) FILTER (WHERE NOT verdict))) AS per_class
FROM (SELECT class, embedding, (embedding::real[])[3] > 0 AS verdict FROM items WHERE class < 3) judged GROUP BY class ORDER BY class;
SELECT exemplar_svm_agg(embedding, NULL) IS NULL AS none_wanted, cosine(exemplar_svm_agg(embedding, true), l2_normalize(avg(l2_normalize(embedding)))) AS nothing_to_tell_apart,
       cosine(exemplar_svm_agg(NULL, true, '[1,0,1,0,0,0,0,0]'), '[1,0,1,0,0,0,0,0]') AS hint_alone, exemplar_svm_agg(embedding, true) FILTER (WHERE false) IS NULL AS empty FROM items;
SELECT rounded(exemplar_svm_agg(v, verdict)) AS without_what_is_both FROM (VALUES ('[1,0]'::vector, true), ('[0,1]', false), ('[3,3]', true), ('[1,1]', false)) judged (v, verdict);
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
