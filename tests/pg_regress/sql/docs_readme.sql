-- Every block of SQL in README.md; written by scripts/docs_sql.sh.
SET client_min_messages = warning;
\set text_embedding '[0.7, 0.6, 0.1, 0.1]'
\set ECHO none
CREATE EXTENSION vector;
CREATE TABLE images (id bigint PRIMARY KEY, path text, category text, year int, embedding vector(4));
INSERT INTO images
SELECT i, 'image' || i || '.jpg', chr(97 + i % 3), 2000 + i % 10,
       l2_normalize(ARRAY[1 + (i % 3 = 0)::int + 0.6 * sin(i), 0.5 + (i % 3 = 1)::int + 0.6 * cos(i * 2), 0.6 + 0.6 * sin(i * 5), 0.3 + (i % 3 = 2)::int + 0.6 * cos(i * 7)]::real[]::vector)
FROM generate_series(1, 60) i;
CREATE INDEX ON images USING hnsw (embedding vector_ip_ops);
ANALYZE images;
\set ECHO all
CREATE EXTENSION hinted_exemplar CASCADE;
SELECT id, path
FROM   images
ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                        exemplar => (SELECT embedding FROM images WHERE id = 42),
                        hint     => :'text_embedding')
LIMIT  20;
SELECT id, path
FROM   images
ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                        exemplars         => ARRAY(SELECT embedding FROM images WHERE id IN (42, 17)),
                        counter_exemplars => ARRAY(SELECT embedding FROM images WHERE id = 20),
                        reasons           => ARRAY['[0.1, 0.1, 0.9, 0.1]']::vector[],   -- the text "a statue"
                        counter_hints     => ARRAY['[0.1, 0.3, 0.1, 0.9]']::vector[],   -- the text "a tree"
                        hint              => :'text_embedding')
LIMIT  20;
SELECT round(hint_z::numeric, 2) AS hint_z, exemplar_margins[1] > 0 AS recognised, conflicts, false_negatives
FROM   hinted_exemplar_fit('images', 'embedding',
                           exemplar => (SELECT embedding FROM images WHERE id = 42),
                           hint     => :'text_embedding');
SELECT key, margin > 0 AS wanted
FROM   hinted_exemplar_search('images', 'embedding', key => 'id', k => 5, filter => 'year > 2004',
                              exemplar => (SELECT embedding FROM images WHERE id = 42),
                              hint     => :'text_embedding');
