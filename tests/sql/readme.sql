-- Every block of SQL in README.md; written by scripts/readme_sql.sh.
SET client_min_messages = warning;
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
                        exemplar    => (SELECT embedding FROM images WHERE path = 'apple.jpg'),
                        hint        => '[0.7, 0.6, 0.1, 0.1]',
                        sample_size => 5)
LIMIT  3;
CREATE TABLE saved_searches (name text PRIMARY KEY, w vector);
INSERT INTO saved_searches SELECT 'fruit', hinted_exemplar('images', 'embedding', hint => '[0.7, 0.6, 0.1, 0.1]');
SELECT path FROM images ORDER BY embedding <#> (SELECT w FROM saved_searches WHERE name = 'fruit') LIMIT 3;
SELECT average_precision(path IN ('apple.jpg', 'pear.jpg', 'orange.jpg')
                         ORDER BY embedding <#> (SELECT w FROM saved_searches WHERE name = 'fruit'), id)
FROM images;
\set text_embedding '[0.7, 0.6, 0.1, 0.1]'
INSERT INTO images VALUES (42, 'plum.jpg', '[0.9, 0.6, 0.2, 0.1]');
SELECT id, path
FROM   images
ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                        exemplar => (SELECT embedding FROM images WHERE id = 42),
                        hint     => :'text_embedding')
LIMIT  20;
