-- Which rows count: a condition on the negatives, several models and tenants in one column, and rows of other dimensions.
SET client_min_messages = warning;
CREATE EXTENSION hinted_exemplar CASCADE;
SET client_min_messages = notice;
SELECT setseed(0.5);
CREATE FUNCTION random_vector(d int, first real) RETURNS vector LANGUAGE sql AS
'SELECT l2_normalize((SELECT array_agg((random() - 0.5 + CASE WHEN k = 1 THEN first ELSE 0 END)::real ORDER BY k) FROM generate_series(1, d) k)::vector)';
CREATE TABLE items (id int PRIMARY KEY, model text, embedding vector(8));
INSERT INTO items SELECT i, CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END, random_vector(8, CASE i % 2 WHEN 0 THEN 2 ELSE -2 END) FROM generate_series(1, 2000) i;
CREATE TABLE only_a AS SELECT * FROM items WHERE model = 'a';
CREATE TABLE vectors AS SELECT embedding AS x FROM items WHERE id = 8;
-- A fit against the rows of one model alone is that of a table that has no others, all of them sampled.
SELECT (one.weights <=> other.weights) < 1e-6 AS same, one.sampled, other.sampled AS of_others
FROM vectors, LATERAL hinted_exemplar_fit('items', 'embedding', exemplar => x, source_filter => 'model = ''a''', sample_size => 5000) one,
     LATERAL hinted_exemplar_fit('only_a', 'embedding', exemplar => x, sample_size => 5000) other;
SELECT hinted_exemplar('items', 'embedding', exemplar => x, source_filter => 'model = ''a''') <=> hinted_exemplar('items', 'embedding', exemplar => x) > 1e-3 AS differs FROM vectors;
SELECT (hinted_exemplar_report('items', 'embedding', exemplar => x, source_filter => 'id <= 10') ->> 'sampled')::int FROM vectors;
-- Expansion takes rows of the condition too.
SELECT sampled, expanded FROM vectors, LATERAL hinted_exemplar_fit('items', 'embedding', exemplar => x, source_filter => 'id < 14 AND model = ''a''', expand => 3);
-- A search's filter reaches the negatives, unless told otherwise.
CREATE FUNCTION keys(filter text, source_filter text) RETURNS text[] LANGUAGE sql AS
$$ SELECT array_agg(key ORDER BY ordinality) FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, filter => filter, source_filter => source_filter, key => 'id', sample_size => 5000) WITH ORDINALITY s $$;
SELECT keys('model = ''a''', NULL) = keys('model = ''a''', 'model = ''a''') AS reaches, keys('model = ''a''', NULL) = keys('model = ''a''', 'true') AS same_as_all,
       keys('model = ''a''', NULL) = (SELECT array_agg(key ORDER BY ordinality) FROM vectors, LATERAL hinted_exemplar_search('only_a', 'embedding', exemplar => x, key => 'id', sample_size => 5000) WITH ORDINALITY s) AS as_alone;
-- A tenant of one row, and of none.
SELECT key, margin FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, filter => 'id = 8', key => 'id');
SELECT count(*) FROM vectors, LATERAL hinted_exemplar_search('items', 'embedding', exemplar => x, filter => 'id = 0', key => 'id');
-- LangChain's own tables: collections of several models, of several widths, in one column without dimensions.
CREATE TABLE langchain_pg_collection (uuid uuid PRIMARY KEY, name varchar, cmetadata json);
CREATE TABLE langchain_pg_embedding (id varchar PRIMARY KEY, collection_id uuid REFERENCES langchain_pg_collection ON DELETE CASCADE, embedding vector, document varchar, cmetadata jsonb);
INSERT INTO langchain_pg_collection VALUES ('00000000-0000-0000-0000-000000000001', 'pictures'), ('00000000-0000-0000-0000-000000000002', 'texts');
INSERT INTO langchain_pg_embedding SELECT 'p' || i, '00000000-0000-0000-0000-000000000001', random_vector(8, 1), 'picture ' || i, '{}' FROM generate_series(1, 400) i;
INSERT INTO langchain_pg_embedding SELECT 't' || i, '00000000-0000-0000-0000-000000000002', random_vector(5, 1), 'text ' || i, '{}' FROM generate_series(1, 400) i;
PREPARE by_collection (text) AS
SELECT count(*), bool_and(c.name = $1) AS of_collection
FROM langchain_pg_collection chosen, LATERAL hinted_exemplar_search('langchain_pg_embedding', 'embedding', key => 'id', filter => format('collection_id = %L', uuid),
     exemplar => (SELECT embedding FROM langchain_pg_embedding WHERE collection_id = uuid ORDER BY id LIMIT 1)) s
JOIN langchain_pg_embedding e ON e.id = s.key JOIN langchain_pg_collection c ON c.uuid = e.collection_id WHERE chosen.name = $1;
EXECUTE by_collection('pictures');
EXECUTE by_collection('texts');
-- Rows of other dimensions that are let through are skipped, and told once.
SELECT count(*), bool_and(key LIKE 't%') AS texts FROM hinted_exemplar_search('langchain_pg_embedding', 'embedding', key => 'id', exemplar => (SELECT embedding FROM langchain_pg_embedding WHERE id = 't1'));
SELECT sampled, skipped FROM hinted_exemplar_fit('langchain_pg_embedding', 'embedding', exemplar => (SELECT embedding FROM langchain_pg_embedding WHERE id = 't1'));
CREATE VIEW all_of_them AS SELECT * FROM langchain_pg_embedding;
SELECT sampled, skipped FROM hinted_exemplar_fit('all_of_them', 'embedding', exemplar => (SELECT embedding FROM langchain_pg_embedding WHERE id = 'p1'));
SELECT hinted_exemplar('langchain_pg_embedding', 'embedding', exemplar => '[1,2]');
-- The index that pgvector's manual gives a model of its own.
CREATE INDEX ON langchain_pg_embedding USING hnsw ((embedding::vector(8)) vector_ip_ops) WHERE (collection_id = '00000000-0000-0000-0000-000000000001');
SET enable_seqscan = off;
EXECUTE by_collection('pictures');
RESET enable_seqscan;
-- What is no condition.
\set VERBOSITY terse
SELECT hinted_exemplar('items', 'embedding', exemplar => x, source_filter => 'true) OR (true') FROM vectors;
SELECT hinted_exemplar('items', 'embedding', exemplar => x, source_filter => 'colour = 1') FROM vectors;
SELECT hinted_exemplar('items', 'embedding', exemplar => x, source_filter => '1 / (id - id) > 0') FROM vectors;
