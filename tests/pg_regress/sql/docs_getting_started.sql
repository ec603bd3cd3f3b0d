-- Every block of SQL in docs/getting-started.md; written by scripts/docs_sql.sh.
SET client_min_messages = warning;
\set text_embedding '[0.7, 0.6, 0.1, 0.1]'
CREATE EXTENSION hinted_exemplar CASCADE;
CREATE TABLE images (id bigint PRIMARY KEY, path text, embedding vector(4));  -- 512 for CLIP ViT-B/32
INSERT INTO images VALUES
    (1, 'pear.jpg',   '[0.9, 0.1, 0.3, 0.1]'), (2, 'apple.jpg', '[0.8, 0.5, 0.3, 0.1]'), (3, 'hand.jpg', '[0.1, 0.1, 0.9, 0.2]'),
    (4, 'orange.jpg', '[0.7, 0.7, 0.3, 0.0]'), (5, 'tree.jpg',  '[0.1, 0.3, 0.2, 0.9]'), (6, 'bowl.jpg', '[0.4, 0.2, 0.8, 0.1]');
UPDATE images SET embedding = l2_normalize(embedding);
CREATE INDEX ON images USING hnsw (embedding vector_ip_ops);
SELECT path
FROM   images
ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                        exemplar => (SELECT embedding FROM images WHERE path = 'apple.jpg'),
                        hint     => '[0.7, 0.6, 0.1, 0.1]')
LIMIT  3;
SELECT path
FROM   images
ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                        exemplars         => ARRAY(SELECT embedding FROM images WHERE id IN (1, 2)),
                        hint              => '[0.7, 0.6, 0.1, 0.1]',
                        counter_exemplars => ARRAY(SELECT embedding FROM images WHERE path = 'bowl.jpg'),
                        reasons           => ARRAY['[0.1, 0.1, 0.9, 0.1]']::vector[])   -- the text "a bowl"
LIMIT  3;
SELECT path
FROM   images
ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                        exemplar      => (SELECT embedding FROM images WHERE id = 1),
                        hint          => '[0.7, 0.6, 0.1, 0.1]',
                        counter_hints => ARRAY['[0.1, 0.3, 0.1, 0.9]']::vector[])       -- the text "a tree"
LIMIT  3;
SELECT cosine_hint > 0.5 AS near_the_hint, exemplar_margins[1] > 0 AS recognised, conflicts, false_negatives
FROM   hinted_exemplar_fit('images', 'embedding',
                           exemplar => (SELECT embedding FROM images WHERE id = 1),
                           hint     => '[0.7, 0.6, 0.1, 0.1]');
SELECT path
FROM   hinted_exemplar_search('images', 'embedding', key => 'id', k => 3,
                              exemplar => (SELECT embedding FROM images WHERE id = 2),
                              hint     => '[0.7, 0.6, 0.1, 0.1]') AS found
JOIN   images ON images.id = found.key::bigint
ORDER  BY found.distance, images.id;
