-- The extension works with pgvector in any schema, whatever the search_path.
CREATE SCHEMA "Vectors, ""quoted""";
CREATE SCHEMA "Search";
CREATE EXTENSION vector SCHEMA "Vectors, ""quoted""";
CREATE EXTENSION hinted_exemplar SCHEMA "Search";
CREATE TABLE public."Größe; --" (id int, "a.b" "Vectors, ""quoted""".vector(3));
INSERT INTO public."Größe; --" SELECT i, format('[%s,%s,1]', i % 7, i % 5)::"Vectors, ""quoted""".vector FROM generate_series(1, 50) i;
SET search_path = pg_catalog;
SELECT "Vectors, ""quoted""".vector_dims("Search".hinted_exemplar('public."Größe; --"', 'a.b', exemplar => '[9,1,1]', sample_size => 20));
SELECT "Vectors, ""quoted""".vector_dims("Search".exemplar_svm(ARRAY['[1,0]'::"Vectors, ""quoted""".vector], ARRAY['[0,1]'::"Vectors, ""quoted""".vector]));
-- An operator, a function and a type of the same names, earlier in the path, change nothing.
CREATE SCHEMA trap;
CREATE TYPE trap.vector AS (x int);
CREATE FUNCTION trap.tid_equal(tid, tid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE OPERATOR trap.= (LEFTARG = tid, RIGHTARG = tid, FUNCTION = trap.tid_equal);
SET search_path = trap, pg_catalog;
SELECT "Vectors, ""quoted""".vector_dims("Search".hinted_exemplar('public."Größe; --"', 'a.b', exemplar => '[9,1,1]', sample_size => 20));
-- It can be moved, and leaves nothing behind.
RESET search_path;
CREATE SCHEMA elsewhere;
ALTER EXTENSION hinted_exemplar SET SCHEMA elsewhere;
SELECT "Vectors, ""quoted""".vector_dims(elsewhere.hinted_exemplar('public."Größe; --"', 'a.b', exemplar => '[9,1,1]', sample_size => 20));
DROP EXTENSION hinted_exemplar;
SELECT count(*) FROM pg_proc WHERE probin LIKE '%hinted_exemplar%';
-- Not where another type is called like pgvector's: it would be read as a vector, and its checks run as whoever owns the extension.
CREATE SCHEMA taken;
CREATE DOMAIN taken.vector AS text CHECK (length(VALUE) / 0 > 0);
\set SHOW_CONTEXT never
CREATE EXTENSION hinted_exemplar SCHEMA taken;
\echo :LAST_ERROR_SQLSTATE
