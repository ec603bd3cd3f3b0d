-- Rows of a search by key, from tables, views and other sources, and their margins.
SET client_min_messages = warning;
SET jit = off;
CREATE EXTENSION hinted_exemplar CASCADE;
SELECT setseed(0.5);
CREATE TABLE items (id int, tenant uuid, "Name, of it" text, data json, embedding vector(8));
INSERT INTO items SELECT i, md5((i % 7)::text)::uuid, 'item ' || i, '{}', l2_normalize((SELECT array_agg((random() - 0.5 + CASE WHEN k = 1 THEN 1 WHEN k = 2 + i % 7 THEN 0.3 ELSE 0 END)::real ORDER BY k)
                     FROM generate_series(1, 8) k)::vector) FROM generate_series(1, 3000) i;
CREATE VIEW seen AS SELECT id, tenant, embedding FROM items WHERE id % 2 = 0;
CREATE TABLE vectors AS SELECT embedding AS x, '[1,0.8,0,0,0,0,0,0]'::vector AS q FROM items WHERE id = 7;
-- The same rows as by ctid, in the same order.
CREATE TABLE by_ctid AS SELECT ordinality, items.id, distance, margin, key FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, hint => q) WITH ORDINALITY s JOIN items ON items.ctid = s.ctid;
CREATE TABLE by_key AS SELECT ordinality, key::int AS id, distance, margin, s.ctid = items.ctid AS same_place FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, hint => q, key => 'id') WITH ORDINALITY s JOIN items ON items.id = s.key::int;
SELECT count(*), bool_and(a.key IS NULL) AS no_key, bool_and(b.same_place) AS same_place FROM by_ctid a JOIN by_key b USING (ordinality, id, distance, margin);
-- A margin is scale * cosine + bias, and falls with the distance.
SELECT bool_and(abs(margin - (scale * -(items.embedding <#> weights) + bias)) < 1e-5) AS margins, bool_and(margin >= lead) AS falling, max(margin) > 0 AS best_is_wanted
FROM (SELECT *, lead(margin, 1, margin) OVER (ORDER BY ordinality) FROM by_key) b JOIN items USING (id), vectors, LATERAL hinted_exemplar_fit('items', 'embedding', exemplar => x, hint => q);
SELECT bool_and(abs(margin - scale * (w <#> weights) * -1 - bias) < 1e-5) AS of_exemplars
FROM vectors, LATERAL (SELECT *, unnest(exemplar_margins) AS margin, x AS w FROM hinted_exemplar_fit('items', 'embedding', exemplar => x, hint => q)) f;
-- Texts alone have no plane.
SELECT count(*), count(margin) AS margins FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', hint => q, key => 'id');
-- Names as SQL writes them; several columns are a JSON object.
SELECT key, s.key::jsonb ->> 'id' AS id FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, hint => q, key => 'Tenant, ID', k => 2) s;
SELECT key FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, hint => q, key => '"Name, of it"', k => 2) s;
SELECT count(DISTINCT key) FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, hint => q, key => 'id, data') s;
-- Views, their rows filtered too.
SELECT count(*), bool_and(s.tableoid IS NULL AND s.ctid IS NULL) AS no_ctids,
       array_agg(key::int ORDER BY ordinality) = (SELECT array_agg(id ORDER BY d, id) FROM (SELECT id, embedding <#> (SELECT hinted_exemplar('seen', 'embedding', exemplar => x, hint => q, source_filter => 'id < 2000') FROM vectors) AS d FROM seen WHERE id < 2000 ORDER BY 2, 1 LIMIT 20) t) AS nearest
FROM vectors, LATERAL hinted_exemplar_search('seen', 'embedding', exemplar => x, hint => q, key => 'id', filter => 'id < 2000') WITH ORDINALITY s;
-- Through an index the same.
CREATE INDEX graph ON items USING hnsw (embedding vector_ip_ops);
SET enable_seqscan = off;
SELECT count(*), bool_and(a.id = b.id) AS same FROM by_ctid a JOIN (SELECT ordinality, key::int AS id FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, hint => q, key => 'id') WITH ORDINALITY s) b USING (ordinality);
SELECT count(*) FROM vectors, LATERAL hinted_exemplar_search('seen', 'embedding', exemplar => x, hint => q, key => 'id');
DROP INDEX graph;
RESET enable_seqscan;
-- Rows as far as each other are in order of the key's own type.
CREATE TABLE ties (id int, name text COLLATE "C", point point, embedding vector(3));
INSERT INTO ties SELECT i, chr(96 + 27 - i), point(i, 0), '[1,0,0]' FROM generate_series(1, 26) i ORDER BY i % 5, i;
INSERT INTO ties VALUES (NULL, NULL, NULL, '[1,0,0]'), (100, 'other', NULL, '[0,1,0]');
SELECT array_agg(key ORDER BY ordinality) FROM hinted_exemplar_search('ties', 'embedding', hint => '[1,0,0]', key => 'id', k => 12) WITH ORDINALITY s;
SELECT array_agg(key ORDER BY ordinality) FROM hinted_exemplar_search('ties', 'embedding', hint => '[1,0,0]', key => 'name', k => 12) WITH ORDINALITY s;
SELECT array_agg(key ORDER BY ordinality) FROM hinted_exemplar_search('ties', 'embedding', hint => '[1,0,0]', key => 'point', k => 4) WITH ORDINALITY s;
SELECT array_agg(key ORDER BY ordinality) FROM hinted_exemplar_search('ties', 'embedding', hint => '[1,0,0]', key => 'id', k => 40) WITH ORDINALITY s WHERE ordinality > 25;
CREATE INDEX ON ties USING hnsw (embedding vector_ip_ops);
SET enable_seqscan = off;
SELECT array_agg(key ORDER BY ordinality) FROM hinted_exemplar_search('ties', 'embedding', hint => '[1,0,0]', key => 'id', k => 27) WITH ORDINALITY s WHERE ordinality < 12;
RESET enable_seqscan;
-- Rows that share a key: as many keys as are wanted, each at its nearest row, by all rows and through an index.
CREATE TABLE chunks AS SELECT id, 'it''s "' || id % 50 AS document, embedding FROM items;
CREATE FUNCTION documents(k int) RETURNS text LANGUAGE sql AS $$
    WITH found AS (SELECT key, distance FROM vectors, LATERAL hinted_exemplar_search('chunks', 'embedding', exemplar => x, hint => q, key => 'document', k => $1)),
         exact AS (SELECT document, min(embedding <#> hinted_exemplar('chunks', 'embedding', exemplar => x, hint => q)) AS distance FROM vectors, chunks GROUP BY x, q, document ORDER BY 2 LIMIT $1)
    SELECT count(*) || ' of ' || (SELECT count(*) FROM exact) || ', ' || count(DISTINCT key) || ' keys' FROM found JOIN exact e ON e.document = key AND e.distance = found.distance $$;
SELECT documents(5), documents(30), documents(50), documents(80);
CREATE INDEX ON chunks USING hnsw (embedding vector_ip_ops);
SET enable_seqscan = off;
SELECT documents(5), documents(30), documents(50), documents(80);
RESET enable_seqscan;
-- Keys that are none.
\set VERBOSITY terse
SELECT FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]', key => '');
SELECT FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]', key => 'id,');
SELECT FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]', key => 'id) FROM items --');
SELECT FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]', key => 'id, colour');
SELECT FROM hinted_exemplar_search('items', 'embedding', hint => '[1,0,0,0,0,0,0,0]', key => 'Name, of it');
\set VERBOSITY default
SELECT FROM hinted_exemplar_search('seen', 'embedding', hint => '[1,0,0,0,0,0,0,0]');
