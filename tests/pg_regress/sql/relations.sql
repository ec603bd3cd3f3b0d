-- Every kind of relation that rows can be drawn from. Where all rows are drawn, the answer is that of exemplar_svm over them.
SET client_min_messages = warning;
CREATE EXTENSION hinted_exemplar CASCADE;
SET client_min_messages = notice;
-- The plan of a query without what differs between versions of Postgres.
CREATE FUNCTION nodes(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        CONTINUE WHEN line ~ 'Disabled: true';
        RETURN NEXT regexp_replace(regexp_replace(line, 'InitPlan (\d+) \(returns .*\)', 'InitPlan \1'), '\$(\d+)|\(InitPlan \d+\)\.col1', 'answer', 'g');
    END LOOP;
END $$;
CREATE FUNCTION of_rows(vector[]) RETURNS vector
RETURN exemplar_svm(ARRAY['[1,0.2,0]'::vector], $1);
CREATE FUNCTION of_source(regclass, name DEFAULT 'v') RETURNS vector
RETURN hinted_exemplar($1, $2, exemplar => '[1,0.2,0]', sample_size => 2000);
CREATE VIEW vectors AS SELECT i AS id, ARRAY[i % 7, i % 11, i % 13 + 1]::vector(3) AS v FROM generate_series(1, 1200) i;
-- Ordinary, unlogged, temporary; a materialized view; an access method by another name.
CREATE TABLE t AS SELECT * FROM vectors;
CREATE UNLOGGED TABLE u AS SELECT * FROM vectors;
CREATE TEMPORARY TABLE temporary AS SELECT * FROM vectors;
CREATE MATERIALIZED VIEW m AS SELECT * FROM vectors;
CREATE ACCESS METHOD another_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE by_another USING another_heap AS SELECT * FROM vectors;
-- Partitioned at two levels, with an empty partition, a dropped column and another order of columns.
CREATE TABLE p (id int, gone text, v vector(3)) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (1100) PARTITION BY HASH (id);
CREATE TABLE p2_even PARTITION OF p2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE p2_odd PARTITION OF p2 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE p3 (v vector(3), id int, gone text);
ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (1100) TO (1201);
CREATE TABLE p_empty PARTITION OF p DEFAULT;
ALTER TABLE p DROP COLUMN gone;
INSERT INTO p SELECT * FROM vectors;
-- Inherited: the parent has rows of its own; a child has more columns.
CREATE TABLE parent (id int, v vector(3));
CREATE TABLE child (more text) INHERITS (parent);
CREATE TABLE grandchild () INHERITS (child);
INSERT INTO parent SELECT * FROM vectors WHERE id <= 200;
INSERT INTO child SELECT * FROM vectors WHERE id BETWEEN 201 AND 700;
INSERT INTO grandchild SELECT * FROM vectors WHERE id > 700;
-- Views.
CREATE VIEW plain AS SELECT * FROM t;
CREATE VIEW joined AS SELECT a.id, b.v FROM t a JOIN u b USING (id);
CREATE VIEW barrier WITH (security_barrier) AS SELECT * FROM t;
CREATE VIEW invoker WITH (security_invoker) AS SELECT * FROM t;
-- Generated columns, and a domain that declares the dimensions.
CREATE DOMAIN embedding AS vector(3) CHECK (vector_norm(VALUE) < 1000);
CREATE TABLE generated (id int, base vector(3), v vector(3) GENERATED ALWAYS AS (base) STORED, d embedding GENERATED ALWAYS AS (base) STORED);
INSERT INTO generated SELECT * FROM vectors;
SET client_min_messages = warning;
SELECT source, (1 - (of_source(source::regclass) <=> of_rows((SELECT array_agg(v) FROM vectors))))::numeric(8, 6) AS cosine
FROM unnest(ARRAY['t', 'u', 'temporary', 'm', 'by_another', 'p', 'parent', 'plain', 'joined', 'barrier', 'invoker', 'generated']) source;
SELECT (1 - (of_source('generated', 'd') <=> of_rows((SELECT array_agg(v) FROM vectors))))::numeric(8, 6) AS cosine;
SELECT hinted_exemplar('generated', 'd', exemplar => '[1,0]');
\echo :LAST_ERROR_SQLSTATE
-- A column that came later has its default where rows do not hold it.
CREATE TABLE later (id int);
INSERT INTO later SELECT generate_series(1, 10);
ALTER TABLE later ADD COLUMN v vector(3) DEFAULT '[1,2,3]';
SELECT of_source('later') <=> of_rows(array_fill('[1,2,3]'::vector, ARRAY[10])) < 1e-6 AS same;
ALTER TABLE later DROP COLUMN v;
SELECT of_source('later');
\echo :LAST_ERROR_SQLSTATE
-- Names that need quotes.
CREATE SCHEMA "Größe";
CREATE TABLE "Größe"."a.b" ("x"";--" vector(3), "x" int);
INSERT INTO "Größe"."a.b" SELECT v, id FROM vectors;
CREATE VIEW "Größe"."x"";--" AS SELECT "x"";--" AS "'v'" FROM "Größe"."a.b";
SELECT of_source('"Größe"."a.b"', 'x";--') <=> of_source('t') < 1e-6 AS same;
SELECT of_source('"Größe"."x"";--"', '''v''') <=> of_source('t') < 1e-6 AS same;
SELECT of_source('"Größe"."a.b"', 'x');
\echo :LAST_ERROR_SQLSTATE
-- Mixed dimensions, found in any of the ways rows are read.
CREATE TABLE mixed (v vector);
INSERT INTO mixed SELECT CASE WHEN i % 5 = 2 THEN '[1,2]' ELSE '[1,2,3]' END::vector FROM generate_series(1, 50) i;
CREATE VIEW mixed_view AS SELECT * FROM mixed;
SELECT of_source('mixed');
\echo :LAST_ERROR_SQLSTATE
SELECT of_source('mixed_view');
\echo :LAST_ERROR_SQLSTATE
-- Nothing to read: empty, not populated, an index, a sequence.
CREATE TABLE empty (v vector(3));
SELECT of_source('empty');
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE nothing (id int, v vector(3)) PARTITION BY LIST (id);
SELECT of_source('nothing');
\echo :LAST_ERROR_SQLSTATE
CREATE MATERIALIZED VIEW unpopulated AS SELECT * FROM vectors WITH NO DATA;
SELECT of_source('unpopulated');
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX t_id ON t (id);
SELECT of_source('t_id', 'id');
\echo :LAST_ERROR_SQLSTATE
CREATE SEQUENCE counter;
SELECT of_source('counter', 'last_value');
\echo :LAST_ERROR_SQLSTATE
SET client_min_messages = notice;
-- A view with more rows than are read of it.
CREATE VIEW many AS SELECT i AS id, ARRAY[i % 7, i % 11, i % 13 + 1]::vector(3) AS v FROM generate_series(1, 6000) i;
SELECT vector_dims(hinted_exemplar('many', 'v', exemplar => '[1,0.2,0]', sample_size => 50));
-- Sparse tables: with nine of ten rows dead a few more places are looked at; with almost all dead the table is scanned.
SET client_min_messages = notice;
CREATE TABLE sparse WITH (autovacuum_enabled = off) AS
SELECT i AS id, ARRAY[i % 7, i % 11, i % 13 + 1]::vector(3) AS v FROM generate_series(1, 100000) i;
DELETE FROM sparse WHERE id % 10 > 0;
SELECT vector_dims(hinted_exemplar('sparse', 'v', exemplar => '[1,0.2,0]', sample_size => 200));
DELETE FROM sparse WHERE id % 1000 > 0;
\set VERBOSITY terse
SELECT vector_dims(hinted_exemplar('sparse', 'v', exemplar => '[1,0.2,0]', sample_size => 95));
SELECT hinted_exemplar('sparse', 'v', exemplar => '[1,0.2,0]', sample_size => 100) <=>
       of_rows((SELECT array_agg(v) FROM sparse)) < 1e-6 AS same;
\set VERBOSITY default
VACUUM sparse;
SELECT hinted_exemplar('sparse', 'v', exemplar => '[1,0.2,0]', sample_size => 100) <=>
       of_rows((SELECT array_agg(v) FROM sparse)) < 1e-6 AS same;
SET client_min_messages = warning;
-- Types with a cast to vector.
CREATE DOMAIN half AS halfvec(3);
CREATE DOMAIN reals AS real[];
CREATE TABLE types AS
SELECT id, v, v::halfvec(3) AS h, v::halfvec(3)::half AS hd, v::sparsevec(3) AS s, v::real[] AS r, v::real[]::reals AS rd, v::real[]::float8[] AS d,
       ARRAY[1, 2, 3] AS i FROM vectors;
SELECT c, (1 - (of_source('types', c) <=> of_source('t')))::numeric(8, 6) AS cosine FROM unnest('{v,h,hd,s,r,rd,d}'::name[]) c;
SELECT of_source('types', 'i');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('types', 'h', exemplar => '[1,0]');
\echo :LAST_ERROR_SQLSTATE
UPDATE types SET r = '{1,2}' WHERE id = 700;
SELECT of_source('types', 'r');
\echo :LAST_ERROR_SQLSTATE
-- Indexes of every kind are used, also by half precision, which cannot overflow, since the answer has length 1.
SELECT abs(vector_norm(of_source('t')) - 1) < 1e-6 AS unit, l2_norm(of_source('t')::halfvec) < 1.001 AS half_of_it;
CREATE TABLE halves (id int, embedding halfvec(3));
INSERT INTO halves SELECT id, l2_normalize(v)::halfvec(3) FROM vectors;
CREATE INDEX halves_hnsw ON halves USING hnsw (embedding halfvec_ip_ops);
CREATE TABLE cosines (id int, embedding vector(3));
INSERT INTO cosines SELECT id, l2_normalize(v) FROM vectors;
CREATE INDEX cosines_hnsw ON cosines USING hnsw (embedding vector_cosine_ops);
CREATE TABLE wide (id int, embedding vector(3072));
INSERT INTO wide SELECT id, l2_normalize((v::real[] || array_fill(0.01::real, ARRAY[3069]))::vector(3072)) FROM vectors WHERE id <= 100;
CREATE INDEX wide_hnsw ON wide USING hnsw ((embedding::halfvec(3072)) halfvec_ip_ops);
ANALYZE halves, cosines, wide;
-- Arguments of other types by their casts.
SELECT hinted_exemplar('t', 'v', exemplar => '[1,0.5,0]'::halfvec::vector) = hinted_exemplar('t', 'v', exemplar => '[1,0.5,0]') AS halfvec,
       hinted_exemplar('t', 'v', exemplar => '{1:1,2:0.5}/3'::sparsevec::vector) = hinted_exemplar('t', 'v', exemplar => '[1,0.5,0]') AS sparsevec,
       hinted_exemplar('t', 'v', exemplar => '{1,0.5,0}'::real[]::vector) = hinted_exemplar('t', 'v', exemplar => '[1,0.5,0]') AS reals,
       hinted_exemplar('t', 'v', exemplars => ARRAY['[1,0.5,0]'::halfvec]::vector[]) = hinted_exemplar('t', 'v', exemplar => '[1,0.5,0]') AS halfvecs;
SET enable_seqscan = off;
SELECT nodes($$SELECT id FROM halves
ORDER BY embedding <#> (SELECT hinted_exemplar('halves', 'embedding', exemplar => '[1,0.2,0]')::halfvec) LIMIT 5$$);
SELECT nodes($$SELECT id FROM halves
ORDER BY embedding <#> (SELECT hinted_exemplar('halves', 'embedding', exemplar => '[1,0.2,0]')) LIMIT 5$$);
SELECT nodes($$SELECT id FROM wide
ORDER BY embedding::halfvec(3072) <#>
         (SELECT hinted_exemplar('wide', 'embedding', exemplar => (SELECT embedding FROM wide WHERE id = 1))::halfvec(3072)) LIMIT 5$$);
SELECT nodes($$SELECT id FROM cosines
ORDER BY embedding <=> (SELECT hinted_exemplar('cosines', 'embedding', exemplar => '[1,0.2,0]')) LIMIT 5$$);
SET enable_seqscan = on;
SET enable_indexscan = off;
SELECT array_agg(id ORDER BY embedding <=> w, id) = array_agg(id ORDER BY embedding <#> w, id) AS same_order
FROM (SELECT DISTINCT ON (embedding) * FROM cosines WHERE id <= 60) rows, (SELECT of_source('cosines', 'embedding') AS w) fit;
