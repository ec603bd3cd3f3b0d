-- How well the four methods find every category, as mean average precision, and how often each beats the others.
--
-- usage: psql -d DATABASE -v ON_ERROR_STOP=1 -f report.sql        (after schema.sql and load.sql; takes under a minute)
\set QUIET on
\pset pager off
\pset footer off

-- Two exemplars for each category, drawn as if at random but the same every time: those whose hashed names come first.
CREATE TEMP TABLE queries AS
SELECT row_number() OVER (ORDER BY tag_id, draw) AS id, tag_id, package_id AS exemplar
FROM (SELECT tag_id, package_id, row_number() OVER (PARTITION BY tag_id ORDER BY md5(name), name) AS draw
      FROM package_tags JOIN packages ON packages.id = package_id) AS drawn
WHERE draw <= 2;

-- Each vector is computed once and kept, so that the ranking below only compares vectors.
\echo
\echo 'Fitting an exemplar SVM and a hinted exemplar for each query ...'
CREATE TEMP TABLE query_vectors AS
SELECT q.id, q.tag_id, q.exemplar,
       p.embedding AS nearest_neighbour,
       hinted_exemplar('packages', 'embedding', exemplar => p.embedding) AS exemplar_svm,
       t.hint AS text,
       hinted_exemplar('packages', 'embedding', exemplar => p.embedding, hint => t.hint) AS hinted_exemplar
FROM queries q
JOIN packages p ON p.id = q.exemplar
JOIN tags t ON t.id = q.tag_id;
ANALYZE query_vectors;

CREATE TEMP TABLE results (query bigint, position int, method text, ap float8);

-- Ranks all packages but the exemplar by each vector: one batch of five, so that there is something to see meanwhile.
PREPARE measure (int) AS
INSERT INTO results
SELECT q.id, m.position, m.method,
       (SELECT average_precision(r.package_id IS NOT NULL ORDER BY p.embedding <#> m.w, p.id)
        FROM packages p
        LEFT JOIN package_tags r ON r.tag_id = q.tag_id AND r.package_id = p.id
        WHERE p.id <> q.exemplar)
FROM query_vectors q
CROSS JOIN LATERAL (VALUES
    (1, 'nearest neighbour', q.nearest_neighbour),
    (2, 'exemplar SVM',      q.exemplar_svm),
    (3, 'text',              q.text),
    (4, 'hinted exemplar',   q.hinted_exemplar)
) AS m (position, method, w)
WHERE q.id % 5 = $1;

\echo 'Ranking all packages for each query and method ...'
EXECUTE measure(0);
\echo '  20 %'
EXECUTE measure(1);
\echo '  40 %'
EXECUTE measure(2);
\echo '  60 %'
EXECUTE measure(3);
\echo '  80 %'
EXECUTE measure(4);
\echo ' 100 %'

SELECT format('%s categories, %s queries, %s packages: mean average precision, and on how many of the queries one beats another',
              (SELECT count(*) FROM tags), (SELECT count(*) FROM queries), (SELECT count(*) FROM packages)) AS heading \gset
\echo
\echo :heading
SELECT a.method,
       to_char(avg(a.ap), '0.000') AS "mAP",
       to_char(100 * avg((a.ap > b.ap)::int) FILTER (WHERE b.position = 1), '990 %') AS "beats nearest neighbour",
       to_char(100 * avg((a.ap > b.ap)::int) FILTER (WHERE b.position = 2), '990 %') AS "beats exemplar SVM",
       to_char(100 * avg((a.ap > b.ap)::int) FILTER (WHERE b.position = 3), '990 %') AS "beats text",
       to_char(100 * avg((a.ap > b.ap)::int) FILTER (WHERE b.position = 4), '990 %') AS "beats hinted exemplar"
FROM results a JOIN results b ON b.query = a.query AND b.position <> a.position
GROUP BY a.position, a.method
ORDER BY a.position;
