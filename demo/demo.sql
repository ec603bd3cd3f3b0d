-- Three searches, each by four methods side by side.
--
-- usage: psql -d DATABASE -v ON_ERROR_STOP=1 -f demo.sql        (after schema.sql, load.sql and searches.sql)
\set QUIET on
\pset pager off
\pset footer off

-- One vector per search and method. Whatever the method, the search itself is ORDER BY embedding <#> vector.
CREATE TEMP TABLE demo_vectors AS
SELECT s.id AS search, p.id AS exemplar, t.id AS tag_id, m.*
FROM searches s
JOIN packages p ON p.name = s.package
JOIN tags t ON t.tag = s.tag
CROSS JOIN LATERAL (VALUES
    (1, 'nearest neighbour', p.embedding),
    (2, 'exemplar SVM',      hinted_exemplar('packages', 'embedding', exemplar => p.embedding)),
    (3, 'text',              t.hint),
    (4, 'hinted exemplar',   hinted_exemplar('packages', 'embedding', exemplar => p.embedding, hint => t.hint))
) AS m (position, method, w);

-- Every package in order, for each of the vectors; the exemplar is not among its own results.
CREATE TEMP TABLE demo_ranking AS
SELECT v.search, v.position, v.method, p.name, r.package_id IS NOT NULL AS relevant,
       row_number() OVER (PARTITION BY v.search, v.position ORDER BY p.embedding <#> v.w, p.id) AS rank
FROM demo_vectors v
JOIN packages p ON p.id <> v.exemplar
LEFT JOIN package_tags r ON r.tag_id = v.tag_id AND r.package_id = p.id;

\echo
\echo 'Each search gives an example and a hint. * marks a package of the category that is searched for; 0.00 to 1.00 is the'
\echo 'average precision of the whole ranking: 1.00 has all of the category before everything else.'
\set search 1
\ir top_ten.sql
\set search 2
\ir top_ten.sql
\set search 3
\ir top_ten.sql
