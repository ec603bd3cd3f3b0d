-- Prints the top ten of search number :search, a column for each method; demo.sql has filled the tables.
SELECT s.title, format('example: %s (%s)   hint: %s', p.name, p.description, t.words) AS query
FROM searches s JOIN packages p ON p.name = s.package JOIN tags t ON t.tag = s.tag
WHERE s.id = :search \gset
\echo
\echo :title
\echo :query

WITH methods AS (
    SELECT search, position,
           method || ' ' || to_char(average_precision(relevant ORDER BY rank), 'FM0.00') AS heading
    FROM demo_ranking
    WHERE search = :search
    GROUP BY search, position, method
)
SELECT rank AS "#", heading, CASE WHEN relevant THEN '* ' ELSE '  ' END || left(name, 24) AS package, position
FROM demo_ranking JOIN methods USING (search, position)
WHERE rank <= 10
ORDER BY rank
\crosstabview "#" heading package position
