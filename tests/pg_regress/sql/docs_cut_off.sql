-- Every block of SQL in docs/how-to/cut-off.md; written by scripts/docs_sql.sh.
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
SELECT key, round(distance::numeric, 2) AS distance
FROM   hinted_exemplar_search('images', 'embedding', key => 'id', k => 20, exemplar => (SELECT embedding FROM images WHERE id = 42))
WHERE  margin > 0
ORDER  BY distance, key
LIMIT  3;
CREATE TABLE kept AS
SELECT weights, scale, bias
FROM   hinted_exemplar_fit('images', 'embedding', exemplar => (SELECT embedding FROM images WHERE id = 42));
SELECT count(*) > 0 AS some
FROM   kept, hinted_exemplar_search('images', 'embedding', key => 'id', weights => kept.weights, scale => kept.scale, bias => kept.bias)
WHERE  margin > 0;
WITH fitted AS (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY m) AS median
    FROM   hinted_exemplar_fit('images', 'embedding', exemplar => (SELECT embedding FROM images WHERE id = 42)), unnest(exemplar_margins) m
)
SELECT count(*) < 20 AS fewer
FROM   fitted, hinted_exemplar_search('images', 'embedding', key => 'id', exemplar => (SELECT embedding FROM images WHERE id = 42))
WHERE  margin > median / 2;
