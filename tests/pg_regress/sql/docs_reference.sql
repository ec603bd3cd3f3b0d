-- Every block of SQL in docs/reference.md; written by scripts/docs_sql.sh.
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
SELECT id
FROM   images
ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                        exemplar => (SELECT embedding FROM images WHERE id = 42),
                        hint     => :'text_embedding')
LIMIT  3;
SELECT key, round(distance::numeric, 3) AS distance
FROM   hinted_exemplar_search('images', 'embedding', key => 'id', k => 3, filter => 'year > 2004',
                              exemplar => (SELECT embedding FROM images WHERE id = 42));
SELECT count(*)
FROM   hinted_exemplar_search('images', 'embedding', key => 'id', filter => format('category = %L', 'b'),
                              exemplar => (SELECT embedding FROM images WHERE id = 42));
SELECT round(scale::numeric, 2) > 0 AS scale, sampled, converged
FROM   hinted_exemplar_fit('images', 'embedding', exemplar => (SELECT embedding FROM images WHERE id = 42));
SELECT vector_dims(exemplar_svm(ARRAY(SELECT embedding FROM images WHERE category = 'a'),
                                ARRAY(SELECT embedding FROM images WHERE category <> 'a')));
SELECT year, vector_dims(exemplar_svm_agg(embedding, category = 'a' ORDER BY id))
FROM   images
WHERE  year < 2003
GROUP  BY year
ORDER  BY year;
SELECT round(average_precision(category = 'a' ORDER BY embedding <#> :'text_embedding', id)::numeric, 3)
FROM   images;
