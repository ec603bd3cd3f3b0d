-- requires: postgres_fdw file_fdw
-- The search function on foreign tables.
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
-- Foreign tables: one that knows places, and one that does not.
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION file_fdw;
CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw OPTIONS (extensions 'vector');
\set ECHO none
SELECT format('ALTER SERVER itself OPTIONS (ADD host %L, ADD port %L, ADD dbname %L)',
              current_setting('unix_socket_directories'), current_setting('port'), current_database()) \gexec
\set ECHO all
CREATE USER MAPPING FOR CURRENT_USER SERVER itself OPTIONS (user :'USER');
CREATE FOREIGN TABLE elsewhere (id int, class int, embedding vector(8)) SERVER itself OPTIONS (table_name 'items');
ANALYZE elsewhere;
UPDATE vectors SET w = hinted_exemplar('elsewhere', 'embedding', exemplar => x, hint => q, sample_size => 500);
SELECT finds('elsewhere', 20) AS elsewhere, finds('elsewhere', 20, 'class = 3') AS filtered;
SELECT current_setting('data_directory') || '/regress_search.csv' AS file \gset
COPY items TO :'file' CSV;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE from_file (id int, class int, embedding vector(8)) SERVER files OPTIONS (filename :'file', format 'csv');
SELECT count(*) FROM hinted_exemplar_search('from_file', 'embedding', hint => '[1,0,0,0,0,0,0,0]');
\echo :LAST_ERROR_SQLSTATE
-- By key from both, the same rows.
SELECT count(*), count(DISTINCT key) AS keys FROM vectors, LATERAL hinted_exemplar_search('from_file', 'embedding', exemplar => x, hint => q, key => 'id');
SELECT array_agg(a.key::int ORDER BY ordinality) = (SELECT array_agg(id ORDER BY d, id) FROM (SELECT id, embedding <#> (SELECT hinted_exemplar('elsewhere', 'embedding', exemplar => x, hint => q) FROM vectors) AS d FROM items ORDER BY 2, 1 LIMIT 20) t) AS nearest
FROM vectors, LATERAL hinted_exemplar_search('elsewhere', 'embedding', exemplar => x, hint => q, key => 'id') WITH ORDINALITY a;
