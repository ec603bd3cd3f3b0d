-- Every block of SQL in docs/how-to/search.md; written by scripts/docs_sql.sh.
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
SELECT i.id, i.path, round(s.distance::numeric, 2) AS distance
FROM   hinted_exemplar_search('images', 'embedding', key => 'id', k => 3, hint => :'text_embedding') s
JOIN   images i ON i.id = s.key::int
ORDER  BY s.distance, i.id;
SELECT key, round(-distance::numeric, 2) AS similarity
FROM   hinted_exemplar_search('images', 'embedding', key => 'id', k => 3, hint => :'text_embedding');
SELECT key
FROM   hinted_exemplar_search('images', 'embedding', key => 'id', k => 3, filter => 'id <> ALL (''{1,2,3}'')',
                              source_filter => 'true',
                              exemplar => (SELECT embedding FROM images WHERE id = 1));
SELECT category, key
FROM  (SELECT DISTINCT ON (i.category) i.category, s.key, s.distance
       FROM   hinted_exemplar_search('images', 'embedding', key => 'id', k => 50, hint => :'text_embedding') s
       JOIN   images i ON i.id = s.key::int
       ORDER  BY i.category, s.distance, i.id) best
ORDER  BY distance
LIMIT  3;
SELECT i.id
FROM   hinted_exemplar_search('images', 'embedding', key => 'id', k => 50, hint => :'text_embedding') s
JOIN   images i ON i.id = s.key::int
ORDER  BY -s.distance + 0.1 * exp((i.year - 2020) / 10.0) DESC, i.id
LIMIT  3;
WITH by_example AS (
    SELECT key::int AS id, row_number() OVER (ORDER BY distance, key) AS rank
    FROM   hinted_exemplar_search('images', 'embedding', key => 'id', k => 50, hint => :'text_embedding')
), by_words AS (
    SELECT id, row_number() OVER (ORDER BY ts_rank(to_tsvector('simple', category), query) DESC, id) AS rank
    FROM   images, websearch_to_tsquery('simple', 'a') query
    WHERE  to_tsvector('simple', category) @@ query
)
SELECT   id
FROM    (SELECT * FROM by_example UNION ALL SELECT * FROM by_words) lists
GROUP BY id
ORDER BY sum(1.0 / (60 + rank)) DESC, id
LIMIT    3;
SELECT count(*)
FROM   hinted_exemplar_search('images', 'embedding', key => 'id', k => 5, diversity => 0.3, hint => :'text_embedding');
SELECT key
FROM   hinted_exemplar_search('images', 'embedding', key => 'id', k => 3,
                              exemplar => (SELECT avg(embedding) FROM images),
                              counter_exemplars => ARRAY(SELECT embedding FROM images WHERE id IN (1, 2)));
SELECT key
FROM   hinted_exemplar_search('images', 'embedding', key => 'id', k => 3, filter => 'category = ''a''',
                              exemplar => (SELECT embedding FROM images WHERE id = 1));
