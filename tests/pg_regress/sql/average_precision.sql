SET client_min_messages = warning;
CREATE EXTENSION hinted_exemplar CASCADE;
-- The mean over the relevant ranks of the precision there: (1/1 + 2/3) / 2.
SELECT average_precision(relevant ORDER BY distance) FROM (VALUES (true, 1), (false, 2), (true, 3), (false, 4)) r (relevant, distance);
-- The order is the caller's, not the input's.
SELECT average_precision(relevant ORDER BY distance DESC) FROM (VALUES (true, 1), (false, 2), (true, 3), (false, 4)) r (relevant, distance);
-- Ties: a second key makes them certain.
SELECT average_precision(relevant ORDER BY distance, id) AS relevant_first, average_precision(relevant ORDER BY distance, id DESC) AS relevant_last
FROM (VALUES (1, true, 0.5), (2, false, 0.5)) r (id, relevant, distance);
-- A null is a row that nobody has judged: not relevant.
SELECT average_precision(relevant ORDER BY distance) FROM (VALUES (NULL::boolean, 1), (true, 2)) r (relevant, distance);
-- No relevant row: 0. No row: null.
SELECT average_precision(false), average_precision(NULL) FROM generate_series(1, 3);
SELECT average_precision(true) FROM generate_series(1, 0);
-- Per group, with a filter, as a window function, and mean average precision.
SELECT class, average_precision(relevant ORDER BY distance) FILTER (WHERE distance > 0)
FROM (VALUES ('a', true, 1), ('a', false, 2), ('b', false, 1), ('b', true, 2), ('b', true, 0)) r (class, relevant, distance)
GROUP BY class ORDER BY class;
SELECT i, round(average_precision(i % 2 = 0) OVER (ORDER BY i)::numeric, 4) AS running FROM generate_series(1, 5) i;
