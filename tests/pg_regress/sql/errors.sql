-- Bad input: a clear message, an SQLSTATE, a hint, and a session that goes on.
SET client_min_messages = notice;
CREATE EXTENSION hinted_exemplar CASCADE;
CREATE TABLE items (id int, title text, embedding vector(3));
INSERT INTO items SELECT i, 'item', format('[%s,%s,1]', i % 7, i % 11)::vector FROM generate_series(1, 2000) i;
-- Nothing wanted.
SELECT hinted_exemplar('items', 'embedding');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', hint => NULL, exemplars => '{}');
\echo :LAST_ERROR_SQLSTATE
-- A null or zero exemplar, alone and with a hint.
SELECT hinted_exemplar('items', 'embedding', exemplar => NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => (SELECT embedding FROM items WHERE id = -1), hint => '[1,0,0]');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[0,0,0]');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', hint => '[0,0,0]');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', hints => ARRAY['[1,0,0]', '[-1,0,0]']::vector[]);
\echo :LAST_ERROR_SQLSTATE
-- Dimensions that differ.
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0]');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplars => ARRAY['[1,0,0]', '[1,0,0,0]']::vector[]);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', hint => '[1,0,0,0]');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', hint => '[1,0]');
\echo :LAST_ERROR_SQLSTATE
SELECT exemplar_svm(ARRAY['[1,0]'::vector], ARRAY['[1,0,0]'::vector]);
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE mixed (v vector);
INSERT INTO mixed VALUES ('[1,2]'), ('[1,2,3]'), ('[3,2]');
SELECT hinted_exemplar('mixed', 'v', exemplar => '[1,0]');
\echo :LAST_ERROR_SQLSTATE
-- Arrays.
SELECT hinted_exemplar('items', 'embedding', exemplars => ARRAY['[1,0,0]', NULL]::vector[]);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', hints => ARRAY[NULL]::vector[]);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplars => ARRAY[ARRAY['[1,0,0]'], ARRAY['[1,0,0]']]::vector[]);
\echo :LAST_ERROR_SQLSTATE
SELECT exemplar_svm(ARRAY['[1,0]', NULL]::vector[], ARRAY['[0,1]'::vector]);
\echo :LAST_ERROR_SQLSTATE
SELECT exemplar_svm(NULL, ARRAY['[0,1]'::vector]);
\echo :LAST_ERROR_SQLSTATE
-- Relations and columns.
SELECT hinted_exemplar('nowhere', 'embedding', exemplar => '[1,0,0]');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar(4000000000::oid::regclass, 'embedding', exemplar => '[1,0,0]');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embeding', exemplar => '[1,0,0]');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'title', exemplar => '[1,0,0]');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar(NULL, 'embedding', exemplar => '[1,0,0]');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', NULL, exemplar => '[1,0,0]');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'ctid', exemplar => '[1,0,0]');
\echo :LAST_ERROR_SQLSTATE
-- Parameters.
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', sample_size => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', sample_size => NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', lambda => 'NaN');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', lambda => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', lambda => 'Infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', hint_weight => -1);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', tol => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', max_iter => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', counter_hint_weight => 'NaN');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', neutral_fraction => 1.5);
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', expected_share => 1);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', loss => 'hinge');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', objective => 'Published');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', loss => NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', expand => -1);
\echo :LAST_ERROR_SQLSTATE
-- Examples, their weights and reasons.
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', exemplar_weights => '{1,2}');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', exemplar_weights => '{-1}');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', exemplar_weights => '{NaN}');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', exemplar_weights => '{NULL}');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', exemplar_weights => '{0}');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', counter_exemplars => ARRAY['[0,1,0]'::vector], counter_exemplar_weights => '{Infinity}');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', counter_exemplar_weights => '{1}');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', reasons => ARRAY['[0,1,0]'::vector]);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', counter_exemplars => ARRAY['[0,1,0]', '[0,1,1]']::vector[], reasons => ARRAY['[0,1,0]'::vector]);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', counter_exemplars => ARRAY['[0,1,0]', '[2,0,0]']::vector[]);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', counter_exemplars => ARRAY[NULL]::vector[]);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', counter_exemplars => ARRAY['[0,1,0]'::vector], counter_hints => ARRAY['[0,1,0]'::vector]);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', counter_hints => ARRAY['[0,1]'::vector]);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0,0]', counter_exemplars => ARRAY['[0,1,0]'::vector], reasons => ARRAY['[0,0,0]'::vector]);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', hint => '[1,0,0]', neutral_hint => '[1,0,0]', neutral_fraction => 1);
\echo :LAST_ERROR_SQLSTATE
SELECT exemplar_svm(ARRAY['[1,0]'::vector], ARRAY['[0,1]'::vector], exemplar_weights => '{1,1}');
\echo :LAST_ERROR_SQLSTATE
SELECT exemplar_svm_agg(v, true) FROM (VALUES ('[1,0]'::vector), ('[1,0,0]')) rows (v);
\echo :LAST_ERROR_SQLSTATE
-- The session is as it was.
SELECT count(*) FROM items;
-- An error of a function that a query runs leaves as it came: its SQLSTATE, where it is from, and where a filter is wrong.
CREATE FUNCTION refuses(id int) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    IF id = 3 THEN RAISE 'not 3' USING ERRCODE = 'AB123', DETAIL = 'It is 3.', HINT = 'Take 4.', TABLE = 'items'; END IF;
    RETURN true;
END
$$;
CREATE VIEW refusing AS SELECT * FROM items WHERE refuses(id);
SELECT hinted_exemplar('refusing', 'embedding', hint => '[1,0,0]');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0]', filter => 'refuses(id)');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0]', filter => 'nothing = 1');
\echo :LAST_ERROR_SQLSTATE
-- And the next one is not taken for it.
SELECT 1 / 0;
