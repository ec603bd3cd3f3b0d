-- What a search ranks by, and which indexes it finds.
SET client_min_messages = warning;
SET jit = off;
CREATE EXTENSION hinted_exemplar CASCADE;
SELECT setseed(0.5);
CREATE TABLE items (id int PRIMARY KEY, embedding vector(8));
INSERT INTO items SELECT i, l2_normalize((SELECT array_agg((random() - 0.5 + CASE WHEN k = 1 THEN 1 WHEN k = 2 + i % 7 THEN 0.3 ELSE 0 END)::real ORDER BY k)
                     FROM generate_series(1, 8) k)::vector) FROM generate_series(1, 3000) i;
CREATE TABLE vectors AS SELECT embedding AS x FROM items WHERE id = 7;
CREATE TABLE uneven AS SELECT id, (SELECT array_agg(v * (2 + id % 17))::vector(8) FROM unnest(embedding::real[]) v) AS embedding FROM items;
SET client_min_messages = notice;
-- Rows of uneven length are ranked by cosine, and told of once in a session.
CREATE FUNCTION keys(source regclass) RETURNS text[] LANGUAGE sql AS
$$ SELECT array_agg(key ORDER BY ordinality) FROM vectors, LATERAL hinted_exemplar_search(source, 'embedding', exemplar => x, key => 'id', sample_size => 5000) WITH ORDINALITY s $$;
SELECT keys('uneven') = keys('items') AS same_as_of_unit_length;
SELECT round(length_spread::numeric, 3) AS length_spread FROM vectors, LATERAL hinted_exemplar_fit('uneven', 'embedding', exemplar => x);
SELECT round(length_spread::numeric, 3) AS length_spread FROM vectors, LATERAL hinted_exemplar_fit('items', 'embedding', exemplar => x);
SELECT bool_and(abs(distance - (embedding <=> weights)) < 1e-6) AS cosine_distances, bool_and(abs(margin - scale * (1 - distance) - bias) < 1e-5) AS margins
FROM vectors, LATERAL hinted_exemplar_search('uneven', 'embedding', exemplar => x, key => 'id') s JOIN uneven ON id = key::int, LATERAL hinted_exemplar_fit('uneven', 'embedding', exemplar => x) f;
SELECT (SELECT string_agg(DISTINCT metric, ',') FROM hinted_exemplar_search('items', 'embedding', exemplar => x)) AS of_unit_length,
       (SELECT string_agg(DISTINCT metric, ',') FROM hinted_exemplar_search('uneven', 'embedding', exemplar => x)) AS uneven FROM vectors;
-- Each kind of index gives the order, whatever distance it was built for: no scan of all rows comes after the walks.
CREATE TABLE truth AS SELECT keys('items') AS keys;
SET enable_seqscan = off;
-- Whether twenty rows are found, but for two at most, and whether an index was asked.
CREATE FUNCTION found(source regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hits int; before bigint; used bigint;
BEGIN
    SELECT sum(pg_stat_get_xact_numscans(indexrelid)) INTO before FROM pg_index WHERE indrelid = source AND NOT indisprimary;
    SELECT count(*) INTO hits FROM unnest(keys(source)) k JOIN truth ON k = ANY (truth.keys);
    SELECT sum(pg_stat_get_xact_numscans(indexrelid)) INTO used FROM pg_index WHERE indrelid = source AND NOT indisprimary;
    RETURN format('%s, by index: %s', CASE WHEN hits >= 18 THEN 'found' ELSE hits || ' of 20' END, used > before);
END $$;
CREATE INDEX by_cosine ON items USING hnsw (embedding vector_cosine_ops);
SELECT found('items') AS cosine;
DROP INDEX by_cosine;
CREATE INDEX by_distance ON items USING hnsw (embedding vector_l2_ops);
SELECT found('items') AS l2;
DROP INDEX by_distance;
CREATE INDEX by_halves ON items USING hnsw ((embedding::halfvec(8)) halfvec_ip_ops);
SELECT found('items') AS halfvec;
DROP INDEX by_halves;
CREATE INDEX by_lists ON items USING ivfflat (embedding vector_cosine_ops) WITH (lists = 5);
SELECT found('items') AS ivfflat;
DROP INDEX by_lists;
CREATE INDEX by_signs ON items USING hnsw ((binary_quantize(embedding)::bit(8)) bit_hamming_ops);
SELECT found('items') AS signs;
-- Expansion asks the same indexes.
SELECT expanded FROM vectors, LATERAL hinted_exemplar_fit('items', 'embedding', exemplar => x, expand => 5);
DROP INDEX by_signs;
CREATE INDEX by_cosine ON uneven USING hnsw (embedding vector_cosine_ops);
SELECT found('uneven') AS uneven_by_cosine;
DROP INDEX by_cosine;
-- An index that does not give the order is not used for it.
CREATE INDEX by_distance ON uneven USING hnsw (embedding vector_l2_ops);
SELECT found('uneven') AS uneven_by_l2;
-- More dimensions than a vector can have.
CREATE TABLE terms (id int, v sparsevec(30522));
SELECT hinted_exemplar('terms', 'v', hint => '[1,2]');
-- A row without a direction has no cosine, and is not found where rows are ranked by it.
CREATE TABLE directed AS SELECT i AS id, ('[' || i % 3 + 1 || ',' || i % 2 * 9 || ',1]')::vector(3) AS v FROM generate_series(1, 6) i;
INSERT INTO directed VALUES (0, '[0,0,0]');
SELECT metric, count(*), bool_or(distance = 'NaN') AS no_number
FROM hinted_exemplar_search('directed', 'v', exemplar => '[1,2,1]', k => 10) GROUP BY metric;
