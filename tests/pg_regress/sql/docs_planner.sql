-- Every block of SQL in docs/planner.md; written by scripts/docs_sql.sh.
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
SELECT p.id, (SELECT i.id FROM images i WHERE i.id <> p.id
              ORDER BY i.embedding <#> hinted_exemplar('images', 'embedding', exemplar => p.embedding) LIMIT 1) AS nearest
FROM   images p
WHERE  p.id < 4
ORDER  BY p.id;
WITH fit AS MATERIALIZED (
    SELECT hinted_exemplar('images', 'embedding', exemplar => (SELECT embedding FROM images WHERE id = 42)) AS w
)
SELECT id, round((embedding <#> (SELECT w FROM fit))::numeric, 4) AS distance
FROM   images
ORDER  BY embedding <#> (SELECT w FROM fit)
LIMIT  3;
CREATE FUNCTION like_image(image bigint) RETURNS vector LANGUAGE sql STABLE AS
$$ SELECT hinted_exemplar('images', 'embedding', exemplar => (SELECT embedding FROM images WHERE id = image)) $$;
SELECT id FROM images ORDER BY embedding <#> (SELECT like_image(42)) LIMIT 3;
