-- Everything is read as the caller: privileges, policies, names.
SET client_min_messages = warning;
CREATE EXTENSION hinted_exemplar CASCADE;
CREATE ROLE regress_reader;
CREATE ROLE regress_other;
CREATE TABLE items (id int, secret text, embedding vector(3));
INSERT INTO items SELECT i, 'secret', ARRAY[i % 7, i % 11, i % 13 + 1] FROM generate_series(1, 1200) i;
CREATE FUNCTION of_source(regclass) RETURNS vector
RETURN hinted_exemplar($1, 'embedding', exemplar => '[1,0.2,0]', sample_size => 2000);
CREATE FUNCTION of_visible(vector[]) RETURNS vector
RETURN exemplar_svm(ARRAY['[1,0.2,0]'::vector], $1);
-- Nothing granted: an error, for a hint alone too.
SET ROLE regress_reader;
SELECT of_source('items');
\echo :LAST_ERROR_SQLSTATE
SELECT hinted_exemplar('items', 'embedding', hint => '[1,0,0]');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- Another column granted, then this one: that is enough, as in plain SQL.
GRANT SELECT (id) ON items TO regress_reader;
SET ROLE regress_reader;
SELECT of_source('items');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT SELECT (embedding) ON items TO regress_reader;
SET ROLE regress_reader;
SELECT of_source('items') <=> of_visible((SELECT array_agg(embedding) FROM items)) < 1e-6 AS same;
SELECT ctid FROM items LIMIT 1;
\echo :LAST_ERROR_SQLSTATE
-- Nor does a fit tell which rows are like the exemplar; how like they are follows from the column.
CREATE FUNCTION pg_temp.told() RETURNS text LANGUAGE sql AS $$
    SELECT format('%s tables, %s ctids, %s margins, %s places in the report', cardinality(false_negative_tables), cardinality(false_negative_ctids), cardinality(false_negative_margins),
                  (SELECT count(*) FROM jsonb_array_elements(report -> 'false_negative_rows') r WHERE r ? 'ctid' OR r ? 'table'))
    FROM hinted_exemplar_fit('items', 'embedding', exemplar => '[1,1,1]'), hinted_exemplar_report('items', 'embedding', exemplar => '[1,1,1]') report
$$;
SELECT pg_temp.told();
RESET ROLE;
GRANT SELECT (ctid) ON items TO regress_reader;
SET ROLE regress_reader;
SELECT pg_temp.told();
RESET ROLE;
GRANT SELECT (tableoid) ON items TO regress_reader;
SET ROLE regress_reader;
SELECT pg_temp.told();
RESET ROLE;
REVOKE SELECT (ctid, tableoid) ON items FROM regress_reader;
-- A schema that the caller may not use, found by OID.
CREATE SCHEMA closed;
CREATE TABLE closed.items AS SELECT * FROM items;
GRANT SELECT ON closed.items TO regress_reader;
SELECT 'closed.items'::regclass::oid AS closed \gset
SET ROLE regress_reader;
SELECT of_source(:closed);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- Partitions and children: the parent's privileges count, and the children's do not.
CREATE TABLE parted (id int, embedding vector(3)) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF parted FOR VALUES FROM (0) TO (600);
CREATE TABLE part2 PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT id, embedding FROM items;
GRANT SELECT (embedding) ON parted TO regress_reader;
CREATE TABLE parent (id int, embedding vector(3));
CREATE TABLE child () INHERITS (parent);
INSERT INTO child SELECT id, embedding FROM items;
GRANT SELECT ON child TO regress_reader;
SET ROLE regress_reader;
SELECT of_source('parted') <=> of_source('items') < 1e-6 AS same;
SELECT of_source('part1');
\echo :LAST_ERROR_SQLSTATE
SELECT of_source('parent');
\echo :LAST_ERROR_SQLSTATE
SELECT of_source('child') <=> of_source('items') < 1e-6 AS same;
RESET ROLE;
-- Row-level security: with the privilege on the table, rows come by their places; with the column's alone, from the start.
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
CREATE POLICY long ON items TO regress_reader USING (vector_norm(embedding) > 8);
SET ROLE regress_reader;
SELECT of_source('items') <=> of_visible((SELECT array_agg(embedding) FROM items)) < 1e-6 AS same;
RESET ROLE;
GRANT SELECT ON items TO regress_reader;
SET ROLE regress_reader;
SELECT of_source('items') <=> of_visible((SELECT array_agg(embedding) FROM items)) < 1e-6 AS same;
SELECT count(*) BETWEEN 1 AND 1199 AS some_hidden FROM (SELECT embedding FROM items) visible;
-- A part of the rows: no hidden row ever becomes a negative, and what hidden rows hold changes no bit.
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0.2,0]', sample_size => 100, seed => 1) AS before \gset
RESET ROLE;
UPDATE items SET embedding = '[-5,-5,-0.01]' WHERE vector_norm(embedding) <= 8;
SET ROLE regress_reader;
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0.2,0]', sample_size => 100, seed => 1) = :'before' AS same_bits;
SELECT count(DISTINCT hinted_exemplar('items', 'embedding', exemplar => '[1,0.2,0]', sample_size => 10, seed => s)) > 90 AS seeds_differ,
       bool_and(hinted_exemplar('items', 'embedding', exemplar => '[-1,-1,0]', sample_size => 10, seed => s) <#> '[-1,-1,0]' < 0) AS hidden_are_not_pushed_away
FROM generate_series(1, 100) s;
-- A policy that shows nothing, and one that does not apply.
RESET ROLE;
ALTER POLICY long ON items USING (false);
SET ROLE regress_reader;
SELECT of_source('items');
\echo :LAST_ERROR_SQLSTATE
SET row_security = off;
SELECT of_source('items');
\echo :LAST_ERROR_SQLSTATE
RESET row_security;
RESET ROLE;
-- Of few rows that a policy shows among many, all are found.
ALTER POLICY long ON items USING (id % 400 = 0);
SET client_min_messages = notice;
SET ROLE regress_reader;
SELECT of_source('items') <=> of_visible((SELECT array_agg(embedding) FROM items)) < 1e-6 AS same;
SELECT hinted_exemplar('items', 'embedding', exemplar => '[1,0.2,0]', sample_size => 3) <=> of_source('items') < 1e-6 AS same;
RESET ROLE;
SET client_min_messages = warning;
SELECT vector_dims(of_source('items')) AS the_owner_sees_all;
-- Policies of a partitioned table count, those of its partitions only for themselves.
ALTER TABLE parted ENABLE ROW LEVEL SECURITY;
CREATE POLICY thirds ON parted TO regress_reader USING (id % 3 = 0);
GRANT SELECT ON parted TO regress_reader;
SET ROLE regress_reader;
SELECT of_source('parted') <=> of_visible((SELECT array_agg(embedding) FROM parted)) < 1e-6 AS same;
RESET ROLE;
-- SECURITY DEFINER and views: as in plain SQL.
CREATE TABLE owned (id int, embedding vector(3));
INSERT INTO owned SELECT id, ARRAY[id % 5 + 1, 1, 2] FROM parted;
CREATE FUNCTION as_owner() RETURNS vector SECURITY DEFINER
RETURN hinted_exemplar('owned', 'embedding', exemplar => '[1,0.2,0]', sample_size => 2000);
CREATE VIEW as_owner AS SELECT * FROM owned;
CREATE VIEW as_caller WITH (security_invoker) AS SELECT * FROM owned;
GRANT SELECT ON as_owner, as_caller TO regress_reader;
SET ROLE regress_reader;
SELECT of_source('owned');
\echo :LAST_ERROR_SQLSTATE
SELECT vector_dims(as_owner());
SELECT vector_dims(of_source('as_owner'));
SELECT of_source('as_caller');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- A search_path with other operators, casts and types in front changes nothing.
CREATE TABLE halves AS SELECT id, embedding::halfvec(3) FROM owned;
GRANT SELECT ON halves TO regress_reader;
GRANT CREATE ON SCHEMA public TO regress_other;
CREATE SCHEMA trap AUTHORIZATION regress_other;
SET ROLE regress_other;
CREATE FUNCTION trap.caught(tid, tid) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';
CREATE FUNCTION trap.caught(vector, vector) RETURNS float8 LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';
CREATE OPERATOR trap.= (LEFTARG = tid, RIGHTARG = tid, FUNCTION = trap.caught);
CREATE OPERATOR trap.<#> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = trap.caught);
CREATE TYPE trap.vector AS (trapped text);
CREATE DOMAIN trap.halfvec AS text;
CREATE DOMAIN trap.tid AS text;
CREATE TABLE trap.owned (id int, embedding public.vector(3));
RESET ROLE;
GRANT USAGE ON SCHEMA trap TO PUBLIC;
CREATE POLICY long ON owned USING (true);
ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON owned TO regress_reader;
SELECT of_source('owned') AS before \gset
SELECT of_source('halves') AS half_before \gset
SELECT 'public.owned'::regclass::oid AS owned, 'public.halves'::regclass::oid AS halves \gset
SET ROLE regress_reader;
SET search_path = trap, public, pg_catalog;
SELECT public.of_source(:owned) <=> :'before'::public.vector < 1e-6 AS same;
SELECT public.of_source(:halves) = :'half_before'::public.vector AS same;
RESET search_path;
RESET ROLE;
-- A read-only transaction does, and no transaction gets an id.
BEGIN READ ONLY;
SELECT vector_dims(of_source('owned'));
SELECT pg_current_xact_id_if_assigned();
COMMIT;
BEGIN;
SELECT vector_dims(of_source('parted')), vector_dims(of_source('items')), vector_dims(of_source('as_owner'));
SELECT pg_current_xact_id_if_assigned();
COMMIT;
-- No setting is left changed.
SHOW synchronize_seqscans;
-- A lock that keeps the table from being dropped under the reader, and none that others wait for.
BEGIN;
SELECT vector_dims(of_source('parted'));
SELECT relation::regclass, mode FROM pg_locks
WHERE pid = pg_backend_pid() AND relation IN ('parted'::regclass, 'part1'::regclass, 'part2'::regclass) ORDER BY relation::regclass::text;
COMMIT;
DROP OWNED BY regress_reader, regress_other CASCADE;
DROP ROLE regress_reader;
DROP ROLE regress_other;
