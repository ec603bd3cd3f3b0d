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
SELECT path
FROM   images
ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                        exemplars         => ARRAY(SELECT embedding FROM images WHERE id IN (1, 2)),
                        hint              => '[0.7, 0.6, 0.1, 0.1]',
                        counter_exemplars => ARRAY(SELECT embedding FROM images WHERE path = 'bowl.jpg'),
                        reasons           => ARRAY['[0.1, 0.1, 0.9, 0.1]']::vector[],   -- the text "a bowl"
                        counter_hints     => ARRAY['[0.1, 0.3, 0.1, 0.9]']::vector[],   -- the text "a tree"
                        neutral_hint      => '[0.5, 0.5, 0.5, 0.5]',                    -- the text "a photo."
                        sample_size       => 3)
LIMIT  3;
SELECT cosine_hint, hint_z, exemplar_margins, counter_exemplar_margins, conflicts, false_negatives
FROM   hinted_exemplar_fit('images', 'embedding', exemplar => (SELECT embedding FROM images WHERE id = 1),
                           counter_exemplars => ARRAY(SELECT embedding FROM images WHERE id = 2),
                           hint => '[0.1, 0.1, 0.9, 0.1]', sample_size => 4);
CREATE TABLE feedback (user_id int, image_id bigint, verdict boolean);
INSERT INTO feedback VALUES (7, 1, true), (7, 3, false), (8, 5, true), (8, 2, false), (8, 4, NULL);
SELECT user_id, exemplar_svm_agg(embedding, verdict ORDER BY image_id) AS w
FROM   feedback JOIN images ON id = image_id
GROUP  BY user_id;
CREATE TABLE saved_searches (name text PRIMARY KEY, example_ids bigint[], rejected_ids bigint[], hint vector(4), w vector(4), fitted_at timestamptz);
INSERT INTO saved_searches VALUES ('fruit', '{1,2}', '{3}', '[0.7, 0.6, 0.1, 0.1]');
UPDATE saved_searches s SET fitted_at = now(), w = hinted_exemplar('images', 'embedding', sample_size => 3,
    exemplars         => ARRAY(SELECT embedding FROM images WHERE id = ANY (s.example_ids)),
    counter_exemplars => ARRAY(SELECT embedding FROM images WHERE id = ANY (s.rejected_ids)),
    hint              => s.hint);
SELECT images.id, path, embedding <#> w AS distance
FROM   images, saved_searches
WHERE  name = 'fruit' AND images.id <> ALL (example_ids)
ORDER  BY distance, images.id LIMIT 2;
SELECT images.id, path
FROM   images, saved_searches
WHERE  name = 'fruit' AND images.id <> ALL (example_ids) AND (embedding <#> w, images.id) > (-0.8645, 4)  -- distance and id of the last row seen
ORDER  BY embedding <#> w, images.id LIMIT 2;
SELECT average_precision(path IN ('apple.jpg', 'pear.jpg', 'orange.jpg')
                         ORDER BY embedding <#> (SELECT w FROM saved_searches WHERE name = 'fruit'), id)
FROM images;
SELECT images.path, found.distance::numeric(4, 3)
FROM   hinted_exemplar_search('images', 'embedding',
           exemplar => (SELECT embedding FROM images WHERE path = 'apple.jpg'),
           hint     => '[0.7, 0.6, 0.1, 0.1]',
           k        => 3,
           filter   => 'id <> 2') AS found
JOIN   images ON images.ctid = found.ctid
ORDER  BY found.distance, found.ctid;
WITH examples AS MATERIALIZED (
    SELECT embedding AS x, hinted_exemplar('images', 'embedding', exemplar => embedding) AS w
    FROM   images TABLESAMPLE BERNOULLI (100) LIMIT 200    -- of a million rows: BERNOULLI (0.1)
), found AS MATERIALIZED (
    SELECT ARRAY(SELECT id FROM images ORDER BY (embedding <#> w) + 0 LIMIT 10) AS exact,    -- no index has the sum
           ARRAY(SELECT id FROM images ORDER BY embedding <#> w LIMIT 10) AS plain,
           ARRAY(SELECT id FROM hinted_exemplar_search('images', 'embedding', exemplar => x, k => 10) f
                 JOIN images ON images.ctid = f.ctid) AS search
    FROM   examples
)
SELECT form, round(avg(hits), 3) AS recall, count(*) FILTER (WHERE hits = 0) AS empty_handed, count(*) AS searches
FROM   found, LATERAL (VALUES ('plain', plain), ('search', search)) forms (form, ids),
       LATERAL (SELECT avg((id = ANY (ids))::int) AS hits FROM unnest(exact) id) h
GROUP  BY form ORDER BY form;
\set text_embedding '[0.7, 0.6, 0.1, 0.1]'
INSERT INTO images VALUES (42, 'plum.jpg', '[0.9, 0.6, 0.2, 0.1]');
SELECT id, path
FROM   images
ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                        exemplar => (SELECT embedding FROM images WHERE id = 42),
                        hint     => :'text_embedding')
LIMIT  20;
