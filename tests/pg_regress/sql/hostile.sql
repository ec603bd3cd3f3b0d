-- Nothing that a caller has made runs as the owner of a function that calls these: not a type, operator, function or cast of a
-- schema that is searched first, nor of the caller's temporary schema, which is always searched first for types.
SET client_min_messages = warning;
CREATE EXTENSION hinted_exemplar CASCADE;
CREATE ROLE regress_attacker;
GRANT CREATE ON SCHEMA public TO regress_attacker;
CREATE SCHEMA trap AUTHORIZATION regress_attacker;
GRANT USAGE ON SCHEMA trap TO PUBLIC;
CREATE DOMAIN half AS halfvec(3);
CREATE DOMAIN reals AS real[];
CREATE TABLE items AS
SELECT i AS id, ARRAY[i % 7, i % 11, i % 13 + 1]::vector(3) AS v, ARRAY[i % 7, i % 11, i % 13 + 1]::vector(3)::halfvec(3) AS h,
       ARRAY[i % 7, i % 11, i % 13 + 1]::vector(3)::halfvec(3)::half AS hd, ARRAY[i % 7, i % 11, i % 13 + 1]::vector(3)::sparsevec(3) AS s,
       ARRAY[i % 7, i % 11, i % 13 + 1]::real[] AS r, ARRAY[i % 7, i % 11, i % 13 + 1]::real[]::reals AS rd, ARRAY[i % 7, i % 11, i % 13 + 1]::float8[] AS d
FROM generate_series(1, 2000) i;
CREATE INDEX ON items USING hnsw (h halfvec_ip_ops);
CREATE VIEW seen AS SELECT * FROM items;
CREATE TABLE parted (LIKE items) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF parted FOR VALUES FROM (0) TO (1000);
CREATE TABLE part2 PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT * FROM items;
CREATE TABLE guarded AS SELECT * FROM items;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE ROLE regress_owner;
CREATE POLICY most ON guarded TO regress_owner USING (id > 100);
CREATE TABLE sparse WITH (autovacuum_enabled = off) AS SELECT i.* FROM items i, generate_series(1, 20);
DELETE FROM sparse WHERE id > 5;
GRANT ALL ON items, seen, parted, guarded, sparse TO regress_owner;
-- Each function, called with the rights of its owner: with a search_path of its own, and with that of the caller.
CREATE FUNCTION calls(source regclass, embedding name) RETURNS text SECURITY DEFINER
BEGIN ATOMIC
    SELECT concat_ws(' ',
        vector_dims(hinted_exemplar(source, embedding, exemplar => '[1,0.2,0]', hint => '[1,0,0]', sample_size => 200)),
        vector_dims(hinted_exemplar(source, embedding, exemplar => '[1,0.2,0]', sample_size => 200, expand => 5)),
        (hinted_exemplar_fit(source, embedding, exemplar => '[1,0.2,0]', sample_size => 200)).sampled,
        hinted_exemplar_report(source, embedding, exemplar => '[1,0.2,0]', sample_size => 200) ->> 'sampled',
        vector_dims(exemplar_svm(ARRAY['[1,0.2,0]'::vector], ARRAY['[0,1,0]'::vector])),
        (SELECT vector_dims(exemplar_svm_agg(w, l)) FROM (VALUES ('[1,0]'::vector, true), ('[0,1]', false)) t (w, l)),
        (SELECT average_precision(l) FROM (VALUES (true), (false)) t (l)));
END;
CREATE FUNCTION searches(source regclass, embedding name) RETURNS text SECURITY DEFINER
BEGIN ATOMIC
    SELECT concat_ws(' ',
        (SELECT count(*) FROM hinted_exemplar_search(source, embedding, exemplar => '[1,0.2,0]', sample_size => 200, k => 5)),
        (SELECT count(*) FROM hinted_exemplar_search(source, embedding, exemplar => '[1,0.2,0]', sample_size => 200, k => 5, filter => 'id IS NOT NULL')),
        (SELECT count(*) FROM hinted_exemplar_search(source, embedding, exemplar => '[1,0.2,0]', sample_size => 200, k => 5, filter => 'id OPERATOR(pg_catalog.=) 3')));
END;
ALTER FUNCTION calls OWNER TO regress_owner;
ALTER FUNCTION searches OWNER TO regress_owner;
CREATE FUNCTION calls_here(source regclass, embedding name) RETURNS text SECURITY DEFINER SET search_path = pg_catalog, public
BEGIN ATOMIC SELECT calls(source, embedding); END;
CREATE FUNCTION searches_here(source regclass, embedding name) RETURNS text SECURITY DEFINER SET search_path = pg_catalog, public
BEGIN ATOMIC SELECT searches(source, embedding); END;
-- Everything once, parsed while names still mean what they say.
CREATE FUNCTION everything() RETURNS TABLE (called regclass, "column" name, here text, there text, found_here text, found_there text)
BEGIN ATOMIC
    SELECT source, embedding, calls_here(source, embedding), calls(source, embedding),
           CASE WHEN source <> 'seen'::regclass THEN searches_here(source, embedding) END, CASE WHEN source <> 'seen'::regclass THEN searches(source, embedding) END
    FROM unnest('{items,seen,parted,guarded,sparse}'::regclass[]) WITH ORDINALITY s (source, n), unnest('{v,h,hd,s,r,rd,d}'::name[]) WITH ORDINALITY e (embedding, m)
    WHERE n = 1 OR embedding IN ('h', 'rd') ORDER BY n, m;
END;
-- The trap: what runs says as whom.
SET ROLE regress_attacker;
CREATE FUNCTION trap.caught(anyelement) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped as %', current_user; END $$;
DO $$
DECLARE
    names text[] := '{vector,halfvec,sparsevec,float8,float4,int8,int4,array_to_vector,halfvec_to_vector,sparsevec_to_vector,vector_dims,vector_norm,l2_normalize,
        inner_product,vector_negative_inner_product,tideq,float8pl,abs,count,format,system,bernoulli}';
    operators text[] := '{=,<>,<,>,<=,>=,+,-,<#>,<=>,<->}';
    types text[] := '{bool,char,name,int2,int4,int8,oid,tid,regclass,text,numeric,float4,float8,_float4,_float8,_tid,_oid}';
    pairs text[] := '{{text,text},{tid,tid},{oid,oid},{int4,int4},{int8,int8},{int8,int4},{float8,float8},{float8,int4},{name,name},
        {public.vector,public.vector},{public.halfvec,public.halfvec},{public.sparsevec,public.sparsevec},{public.halfvec,public.vector},
        {public.sparsevec,public.vector},{public.vector,public.halfvec},{public.half,public.vector},{public.half,public.half},{public.half,public.halfvec},
        {public.halfvec,public.half},{real[],public.vector},{real[],real[]},{public.reals,public.vector},{float8[],public.vector},{float8[],float8[]}}';
    body text := 'LANGUAGE plpgsql AS $f$ BEGIN RAISE ''trapped as %'', current_user; END $f$';
    name text;
    pair text[];
BEGIN
    -- Functions of the names that casts, look-ups and plain SQL use.
    FOREACH name IN ARRAY names LOOP
        EXECUTE format('CREATE FUNCTION trap.%I(anyelement) RETURNS anyelement ', name) || body;
        EXECUTE format('CREATE FUNCTION pg_temp.%I(anyelement) RETURNS anyelement ', name) || body;
    END LOOP;
    -- Operators on the types that are compared, also mixed and on domains; and some in pgvector's own schema.
    FOREACH pair SLICE 1 IN ARRAY pairs LOOP
        EXECUTE format('CREATE FUNCTION trap.compare(%s, %s) RETURNS float8 ', pair[1], pair[2]) || body;
        FOREACH name IN ARRAY operators LOOP
            EXECUTE format('CREATE OPERATOR trap.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = trap.compare)', name, pair[1], pair[2]);
            BEGIN
                EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = trap.compare)', name, pair[1], pair[2]);
            EXCEPTION WHEN duplicate_function THEN NULL;  -- pgvector's own
            END;
        END LOOP;
    END LOOP;
    -- Types, as domains that check. From here on these names mean them.
    FOREACH name IN ARRAY types || '{vector,halfvec,sparsevec}'::text[] LOOP
        EXECUTE format('CREATE DOMAIN trap.%I AS %I.%I CHECK (trap.caught(VALUE))', name, CASE WHEN name = ANY (types) THEN 'pg_catalog' ELSE 'public' END, name);
    END LOOP;
    FOREACH name IN ARRAY types || '{vector,halfvec,sparsevec}'::text[] LOOP
        -- text, which this block uses itself, comes last.
        CONTINUE WHEN name = 'text' OR name = 'bool';
        EXECUTE format('CREATE DOMAIN pg_temp.%I AS %I.%I CHECK (trap.caught(VALUE))', name, CASE WHEN name = ANY (types) THEN 'pg_catalog' ELSE 'public' END, name);
    END LOOP;
END
$$;
CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (trap.caught(VALUE));
CREATE DOMAIN pg_temp.bool AS pg_catalog.bool CHECK (trap.caught(VALUE));
-- A cast of the caller's own type.
CREATE TYPE trap.letter AS ENUM ('a');
CREATE FUNCTION trap.as_vector(trap.letter) RETURNS public.vector LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped as %', current_user; END $$;
CREATE CAST (trap.letter AS public.vector) WITH FUNCTION trap.as_vector(trap.letter) AS IMPLICIT;
CREATE TABLE trap.letters AS SELECT 'a'::trap.letter AS v FROM pg_catalog.generate_series(1, 9);
GRANT USAGE ON SCHEMA trap TO regress_owner;
GRANT SELECT ON trap.letters TO regress_owner;
-- The trap works: what leaves names open falls into it.
\set VERBOSITY terse
SELECT 0::float8;
SELECT '[1,0,0]'::public.halfvec::public.half OPERATOR(public.<#>) '[1,0,0]'::public.vector;
SET search_path = trap, pg_temp, public, pg_catalog;
SELECT 1 + 1;
-- Nothing of it runs.
SELECT * FROM public.everything();
RESET search_path;
SELECT * FROM public.everything();
SELECT public.calls_here('trap.letters', 'v');
RESET ROLE;
DROP OWNED BY regress_attacker, regress_owner CASCADE;
DROP ROLE regress_attacker;
DROP ROLE regress_owner;
