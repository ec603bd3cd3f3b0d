-- Few rows, none, and rows that there is nothing to tell apart in: the best answer there is, and no word about it on every call.
SET client_min_messages = warning;
CREATE EXTENSION hinted_exemplar CASCADE;
SET client_min_messages = notice;
CREATE TABLE few (id int, tenant int, v vector(2));
CREATE FUNCTION rounded(v vector) RETURNS text LANGUAGE sql AS 'SELECT array_agg(round(x::numeric, 3))::text FROM unnest(v::real[]) x';
-- Exemplar and hint, each alone and both, of a table that is empty, has nulls, zero vectors, the exemplar alone.
CREATE FUNCTION answers() RETURNS TABLE (exemplar text, hint text, both_of_them text, found bigint, sampled int8, skipped int8) LANGUAGE sql AS $$
SELECT rounded(hinted_exemplar('few', 'v', exemplar => '[2,0]')), rounded(hinted_exemplar('few', 'v', hint => '[0,3]')), rounded(weights),
       (SELECT count(*) FROM hinted_exemplar_search('few', 'v', exemplar => '[2,0]', hint => '[0,3]')), sampled, skipped
FROM hinted_exemplar_fit('few', 'v', exemplar => '[2,0]', hint => '[0,3]') $$;
SELECT * FROM answers();
INSERT INTO few SELECT FROM generate_series(1, 5);
SELECT * FROM answers();
INSERT INTO few VALUES (NULL, NULL, '[0,0]'), (NULL, NULL, '[0,0]');
SELECT * FROM answers();
DELETE FROM few;
INSERT INTO few VALUES (1, 1, '[3,0]');
SELECT * FROM answers();
SELECT key, margin, recall FROM hinted_exemplar_search('few', 'v', exemplar => '[2,0]', key => 'id');
SELECT count(*) FROM hinted_exemplar_search('few', 'v', exemplar => '[2,0]', counter_exemplars => '{"[0,1]"}', counter_hints => '{"[0,1]"}', expand => 5);
-- Rows that are all equal, and one other row.
INSERT INTO few SELECT i, 1, '[0,1]' FROM generate_series(2, 30) i;
SELECT sampled, skipped, converged, weights <#> '[1,0]' < -0.5 AS wanted FROM hinted_exemplar_fit('few', 'v', exemplar => '[2,0]', hint => '[0,3]');
SELECT count(*), min(key::int) FILTER (WHERE margin > 0) AS wanted FROM hinted_exemplar_search('few', 'v', exemplar => '[2,0]', key => 'id');
-- All rows are examples.
DELETE FROM few WHERE id > 2;
SELECT rounded(hinted_exemplar('few', 'v', exemplars => '{"[1,0]","[0,1]"}')) AS exemplars, rounded(exemplar_svm('{"[1,0]","[0,1]"}', '{}')) AS given;
-- No row is visible.
CREATE ROLE regress_tenant;
GRANT SELECT ON few TO regress_tenant;
ALTER TABLE few ENABLE ROW LEVEL SECURITY;
SET ROLE regress_tenant;
SELECT * FROM answers();
SELECT count(*) FROM hinted_exemplar_search('few', 'v', weights => '[1,0]');
RESET ROLE;
DROP OWNED BY regress_tenant;
DROP ROLE regress_tenant;
