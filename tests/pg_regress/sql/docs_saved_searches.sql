-- Every block of SQL in docs/how-to/saved-searches.md; written by scripts/docs_sql.sh.
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
CREATE TABLE saved_searches (
    name         text PRIMARY KEY,
    example_ids  bigint[] NOT NULL,
    rejected_ids bigint[] NOT NULL DEFAULT '{}',
    hint         vector(4),
    w            vector(4),
    fitted_at    timestamptz
);
INSERT INTO saved_searches VALUES ('fruit', '{1,2}', '{3}', '[0.7, 0.6, 0.1, 0.1]');
UPDATE saved_searches s SET fitted_at = now(), w = hinted_exemplar('images', 'embedding',
    exemplars         => ARRAY(SELECT embedding FROM images WHERE id = ANY (s.example_ids) ORDER BY id),
    counter_exemplars => ARRAY(SELECT embedding FROM images WHERE id = ANY (s.rejected_ids) ORDER BY id),
    hint              => s.hint);
SELECT path
FROM   images, saved_searches
WHERE  name = 'fruit'
ORDER  BY embedding <#> w
LIMIT  3;
SELECT path
FROM   images
ORDER  BY embedding <#> (SELECT w FROM saved_searches WHERE name = 'fruit')
LIMIT  3;
ALTER TABLE saved_searches ADD scale float8, ADD bias float8;
UPDATE saved_searches s SET w = f.weights, scale = f.scale, bias = f.bias
FROM   saved_searches t,
       LATERAL hinted_exemplar_fit('images', 'embedding', hint => t.hint,
           exemplars => ARRAY(SELECT embedding FROM images WHERE id = ANY (t.example_ids) ORDER BY id)) f
WHERE  s.name = t.name;
SELECT name, scale * -(l2_normalize('[0.7, 0.5, 0.3, 0.1]'::vector) <#> w) + bias > 0 AS matches
FROM   saved_searches;
