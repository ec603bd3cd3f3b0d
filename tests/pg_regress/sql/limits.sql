-- What may be asked for: bounds, memory and settings.
SET client_min_messages = warning;
CREATE EXTENSION hinted_exemplar CASCADE;
RESET client_min_messages;
\set VERBOSITY default
\set SHOW_CONTEXT never

CREATE TABLE items (id int, embedding vector(8));
INSERT INTO items SELECT i, (SELECT array_agg(sin(i * 12.9898 + d * 78.233 + i * d)) FROM generate_series(1, 8) d)::vector
FROM generate_series(1, 3000) i;
ANALYZE items;
SELECT embedding AS x FROM items WHERE id = 7 \gset

-- Parameters have bounds.
SELECT hinted_exemplar('items', 'embedding', exemplar => :'x', lambda => 1e308);
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', exemplar => :'x', tol => 1e-300);
SELECT hinted_exemplar('items', 'embedding', exemplar => :'x', hint => :'x', hint_weight => 1e155);
SELECT hinted_exemplar('items', 'embedding', exemplar => :'x', exemplar_weights => '{1e155}');
SELECT hinted_exemplar('items', 'embedding', exemplar => :'x', exemplars => '{"[1,2,3,4,5,6,7,8]"}', exemplar_weights => '{1,1e-163}');
SELECT hinted_exemplar('items', 'embedding', exemplar => :'x', sample_size => -5000000000);
SELECT hinted_exemplar('items', 'embedding', exemplar => :'x', expand => -1);
SELECT count(*) FROM hinted_exemplar_search('items', 'embedding', exemplar => :'x', k => 0);
-- At the bounds there is an answer of length 1.
SELECT lambda, weight, abs(vector_norm(hinted_exemplar('items', 'embedding', exemplar => :'x', exemplars => ARRAY[embedding], hint => embedding,
    exemplar_weights => ARRAY[weight, 1], lambda => lambda, hint_weight => 1e12, counter_hint_weight => 1e12)) - 1) < 1e-5 AS unit
FROM items, unnest(ARRAY[1e-12, 1e12]) lambda, unnest(ARRAY[1e-9, 1e9]) weight WHERE id = 11 ORDER BY lambda, weight;

-- Counts are bigint; what arrives as numeric is not.
SELECT hinted_exemplar('items', 'embedding', exemplar => :'x', sample_size => 500::int, expand => 2::smallint)
     = hinted_exemplar('items', 'embedding', exemplar => :'x', sample_size => 500::bigint, expand => 2::bigint) AS same;
SELECT count(*) FROM hinted_exemplar_search('items', 'embedding', exemplar => :'x', k => 5::bigint);

-- What would take too much memory is refused before it is asked for.
CREATE VIEW seen AS SELECT * FROM items WHERE id % 2 = 1;
SELECT hinted_exemplar('seen', 'embedding', exemplar => :'x', sample_size => 9223372036854775807);
\echo :LAST_ERROR_SQLSTATE
-- Who wants all rows of a table asks for more than there are.
SELECT sampled FROM hinted_exemplar_fit('items', 'embedding', exemplar => :'x', sample_size => 9223372036854775807);
SELECT hinted_exemplar('items', 'embedding', exemplar => :'x', expand => 5000000000);
SELECT count(*) FROM hinted_exemplar_search('items', 'embedding', exemplar => :'x', k => 5000000000);
SET hinted_exemplar.max_memory = '80kB';
SELECT abs(vector_norm(hinted_exemplar('items', 'embedding', exemplar => :'x', sample_size => 2500)) - 1) < 1e-5 AS unit;
SELECT hinted_exemplar('items', 'embedding', exemplar => :'x', sample_size => 3000);
SELECT hinted_exemplar('items', 'embedding', exemplar => :'x', exemplars => (SELECT array_agg(embedding) FROM items), sample_size => 10);
SELECT exemplar_svm(ARRAY[:'x'::vector], (SELECT array_agg(embedding) FROM items));
SELECT exemplar_svm_agg(embedding, id < 5) FROM items;
\echo :LAST_ERROR_SQLSTATE
SELECT abs(vector_norm(exemplar_svm_agg(embedding, id < 5)) - 1) < 1e-5 AS unit FROM items WHERE id < 2000;
RESET hinted_exemplar.max_memory;
-- PostgreSQL 18 gives the bounds their units.
\set VERBOSITY sqlstate
SET hinted_exemplar.max_memory = 0;
\set VERBOSITY default
SET hinted_exemplar.no_such_setting = 1;

-- A row that was rejected is not adopted by an expansion, also where there are no others.
CREATE TABLE two (v vector(3));
INSERT INTO two VALUES ('[1,2,3]'), ('[0,1,0]');
SELECT expanded, sampled, skipped FROM hinted_exemplar_fit('two', 'v', exemplar => '[1,0,0]',
    counter_exemplars => '{"[1,2,3]","[0,1,0]"}', expand => 1);
SELECT hinted_exemplar('two', 'v', exemplar => '[1,0,0]', counter_exemplars => '{"[1,2,3]","[0,1,0]"}', expand => 1)
     = hinted_exemplar('two', 'v', exemplar => '[1,0,0]', counter_exemplars => '{"[1,2,3]","[0,1,0]"}') AS same;

-- Conflicts are counted, and the first are listed.
SELECT cardinality(conflicts) AS listed, conflict_count > 10000 AS many FROM hinted_exemplar_fit('items', 'embedding',
    exemplars => (SELECT array_agg(embedding ORDER BY id) FROM items WHERE id <= 300),
    counter_exemplars => (SELECT array_agg(embedding ORDER BY id) FROM items WHERE id BETWEEN 301 AND 600));

-- The kept sample has a memory context of its own, which goes when it is told to.
CREATE TABLE kept (id int, embedding vector(8));
INSERT INTO kept SELECT * FROM items;
CREATE TABLE wide (id int, embedding vector(600));
ALTER TABLE wide ALTER embedding SET STORAGE EXTERNAL;
INSERT INTO wide SELECT i, (SELECT array_agg(sin(i * 12.9898 + d * 78.233 + i * d)) FROM generate_series(1, 600) d)::vector
FROM generate_series(1, 1500) i;
CREATE FUNCTION has_kept() RETURNS boolean LANGUAGE sql AS
    $$ SELECT count(*) > 0 FROM pg_catalog.pg_backend_memory_contexts WHERE name = 'hinted_exemplar sample' $$;
SELECT has_kept();
SELECT vector_dims(hinted_exemplar('kept', 'embedding', exemplar => :'x', sample_size => 800));
SELECT has_kept();
SET DateStyle = ISO;
SELECT has_kept();
DISCARD ALL;
SELECT has_kept();
SELECT vector_dims(hinted_exemplar('wide', 'embedding', exemplar => (SELECT embedding FROM wide WHERE id = 7), sample_size => 200));
SELECT has_kept();
SET work_mem = '64kB';
SELECT has_kept();
RESET work_mem;
SELECT vector_dims(hinted_exemplar('kept', 'embedding', exemplar => :'x', sample_size => 800));
SELECT has_kept();
SET hinted_exemplar.keep_sample = off;
SELECT has_kept();
SELECT vector_dims(hinted_exemplar('kept', 'embedding', exemplar => :'x', sample_size => 800));
SELECT has_kept();
RESET hinted_exemplar.keep_sample;
-- Errors leave nothing behind.
SELECT hinted_exemplar('kept', 'embedding', exemplar => '[1,2]', sample_size => 800);
SELECT hinted_exemplar('kept', 'embedding', exemplar => '[0,0,0,0,0,0,0,0]', sample_size => 800);
SELECT has_kept();

-- Without reading pages by hand, the same rows are drawn.
CREATE TABLE dead (id int, embedding vector(8)) WITH (autovacuum_enabled = off);
INSERT INTO dead SELECT * FROM items;
-- In one transaction, so that where new versions go does not depend on who else has a snapshot.
BEGIN;
DELETE FROM dead WHERE id % 3 = 0;
UPDATE dead SET id = id + 1 WHERE id % 5 = 0;
COMMIT;
CREATE TABLE packed (id int, embedding real[]);
INSERT INTO packed SELECT i, array_fill(i::real, ARRAY[700]) || ARRAY[1, -i]::real[] FROM generate_series(1, 1200) i;
CREATE TABLE parts (id int, embedding vector(8)) PARTITION BY HASH (id);
CREATE TABLE part_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT * FROM items;
CREATE MATERIALIZED VIEW stored AS SELECT * FROM items WHERE id % 2 = 0;
CREATE TABLE drawn (source text, seed int, read_pages boolean, weights vector);
CREATE FUNCTION draw(read_pages boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE source text; x vector;
BEGIN
    PERFORM set_config('hinted_exemplar.read_pages', read_pages::text, true), set_config('hinted_exemplar.keep_sample', 'off', true);
    FOREACH source IN ARRAY ARRAY['items', 'dead', 'wide', 'packed', 'parts', 'stored', 'seen'] LOOP
        EXECUTE format('SELECT embedding FROM %I WHERE id > 20 ORDER BY id LIMIT 1', source) INTO x;
        FOR seed IN 1..4 LOOP
            INSERT INTO drawn SELECT source, seed, read_pages,
                hinted_exemplar(source::regclass, 'embedding', exemplar => x, sample_size => 200, seed => seed);
        END LOOP;
    END LOOP;
END $$;
SELECT draw(true), draw(false);
SELECT source, count(*), count(DISTINCT weights) FROM drawn GROUP BY source ORDER BY source;
