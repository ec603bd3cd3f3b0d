-- Every block of SQL in docs/how-to/feedback.md; written by scripts/docs_sql.sh.
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
CREATE TABLE feedback (user_id int, image_id bigint, verdict boolean, PRIMARY KEY (user_id, image_id));
INSERT INTO feedback VALUES (7, 1, true), (7, 3, false), (8, 5, true), (8, 2, false), (8, 4, NULL);
SELECT path
FROM   images
ORDER  BY embedding <#> (
    SELECT hinted_exemplar('images', 'embedding',
               exemplars         => array_agg(embedding) FILTER (WHERE verdict),
               counter_exemplars => array_agg(embedding) FILTER (WHERE NOT verdict),
               hint              => :'text_embedding')
    FROM   feedback JOIN images ON id = image_id
    WHERE  user_id = 7)
LIMIT  5;
SELECT path
FROM   images
ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                        exemplars        => ARRAY(SELECT embedding FROM images WHERE id IN (1, 5) ORDER BY id),
                        exemplar_weights => '{3, 1}')
LIMIT  3;
SELECT path
FROM   images
ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                        exemplar          => (SELECT embedding FROM images WHERE id = 1),
                        hint              => :'text_embedding',
                        counter_exemplars => ARRAY(SELECT embedding FROM images WHERE id IN (2, 3) ORDER BY id),
                        reasons           => ARRAY['[0.1, 0.1, 0.9, 0.1]', NULL]::vector[])
LIMIT  3;
SELECT user_id, vector_dims(exemplar_svm_agg(embedding, verdict ORDER BY image_id)) AS dimensions
FROM   feedback JOIN images ON id = image_id
GROUP  BY user_id
ORDER  BY user_id;
SELECT round(average_precision(category = 'b' ORDER BY embedding <#> w, id)::numeric, 3) AS by_example,
       round(average_precision(category = 'b' ORDER BY embedding <#> x, id)::numeric, 3) AS nearest_neighbour
FROM   images,
       (SELECT embedding AS x, hinted_exemplar('images', 'embedding', exemplar => embedding) AS w FROM images WHERE id = 2) q;
