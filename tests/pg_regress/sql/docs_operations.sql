-- Every block of SQL in docs/operations.md; written by scripts/docs_sql.sh.
SET client_min_messages = warning;
\set text_embedding '[0.7, 0.6, 0.1, 0.1]'
\set ECHO none
CREATE EXTENSION hinted_exemplar CASCADE;
CREATE TABLE images (id bigint PRIMARY KEY, path text, category text, year int, embedding vector(4));
INSERT INTO images
SELECT i, 'image' || i || '.jpg', chr(97 + i % 3), 2000 + i % 10,
       l2_normalize(ARRAY[1 + (i % 3 = 0)::int + 0.6 * sin(i), 0.5 + (i % 3 = 1)::int + 0.6 * cos(i * 2), 0.6 + 0.6 * sin(i * 5), 0.3 + (i % 3 = 2)::int + 0.6 * cos(i * 7)]::real[]::vector)
FROM generate_series(1, 60) i;
CREATE INDEX ON images USING hnsw (embedding vector_ip_ops);
ANALYZE images;
\set ECHO all
SET hinted_exemplar.keep_sample = off;
SET hinted_exemplar.read_pages = off;
SET hinted_exemplar.max_memory = '256MB';
SHOW hinted_exemplar.max_memory;
CREATE TABLE kept_images AS SELECT id, embedding FROM images, generate_series(1, 20);
SET hinted_exemplar.keep_sample = on;
SELECT vector_dims(hinted_exemplar('kept_images', 'embedding', exemplar => '[1, 0.2, 0, 0]', sample_size => 300));
SELECT name, count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'hinted_exemplar%' GROUP BY name;
DISCARD ALL;
SELECT name, count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'hinted_exemplar%' GROUP BY name;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
