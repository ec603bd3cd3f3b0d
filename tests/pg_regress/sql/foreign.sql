-- requires: postgres_fdw file_fdw
-- Foreign tables: their rows are drawn by place where that is known, and in a bounded sample where it is not.
SET client_min_messages = warning;
CREATE EXTENSION hinted_exemplar CASCADE;
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION file_fdw;
SET client_min_messages = notice;
CREATE FUNCTION of_source(regclass, name DEFAULT 'v') RETURNS vector
RETURN hinted_exemplar($1, $2, exemplar => '[1,0.2,0]', sample_size => 2000);
CREATE VIEW vectors AS SELECT i AS id, ARRAY[i % 7, i % 11, i % 13 + 1]::vector(3) AS v FROM generate_series(1, 1200) i;
CREATE TABLE t AS SELECT * FROM vectors;
CREATE TABLE p (id int, v vector(3)) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (2000);
INSERT INTO p SELECT * FROM vectors;
-- postgres_fdw to this very database, with and without its size known; a file.
CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw OPTIONS (extensions 'vector');
\set ECHO none
SELECT format('ALTER SERVER itself OPTIONS (ADD host %L, ADD port %L, ADD dbname %L)',
              current_setting('unix_socket_directories'), current_setting('port'), current_database()) \gexec
\set ECHO all
CREATE USER MAPPING FOR CURRENT_USER SERVER itself OPTIONS (user :'USER');
CREATE TABLE large AS SELECT i AS id, ARRAY[i % 7, i % 11, i % 13 + 1]::vector(3) AS v FROM generate_series(1, 30000) i;
CREATE FOREIGN TABLE f (id int, v vector(3)) SERVER itself OPTIONS (table_name 'large');
SELECT vector_dims(hinted_exemplar('f', 'v', exemplar => '[1,0.2,0]', sample_size => 100));
ANALYZE f;
SELECT relpages > 0 AS known FROM pg_class WHERE oid = 'f'::regclass;
SELECT vector_dims(hinted_exemplar('f', 'v', exemplar => '[1,0.2,0]', sample_size => 100));
SELECT hinted_exemplar('f', 'v', exemplar => '[1,0.2,0]', sample_size => 100, seed => 1) =
       hinted_exemplar('f', 'v', exemplar => '[1,0.2,0]', sample_size => 100, seed => 1) AS repeatable;
SET client_min_messages = warning;
-- All of its rows.
CREATE FOREIGN TABLE ft (id int, v vector(3)) SERVER itself OPTIONS (table_name 't');
SELECT of_source('ft') <=> of_source('t') < 1e-6 AS same;
ANALYZE ft;
SELECT of_source('ft') <=> of_source('t') < 1e-6 AS same;
-- The table behind it is another one than ANALYZE has seen.
TRUNCATE t;
INSERT INTO t SELECT * FROM vectors WHERE id <= 3;
SELECT of_source('ft') <=> of_source('t') < 1e-6 AS same;
INSERT INTO t SELECT * FROM vectors WHERE id > 3;
-- A foreign partition among local ones.
ALTER TABLE p DETACH PARTITION p1;
CREATE FOREIGN TABLE p1_elsewhere PARTITION OF p FOR VALUES FROM (0) TO (100) SERVER itself OPTIONS (table_name 'p1');
SELECT of_source('p') <=> of_source('t') < 1e-6 AS same;
ANALYZE p1_elsewhere;
SELECT of_source('p') <=> of_source('t') < 1e-6 AS same;
SELECT current_setting('data_directory') || '/regress_relations.csv' AS file \gset
COPY (SELECT * FROM vectors) TO :'file' CSV;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE from_file (id int, v vector(3)) SERVER files OPTIONS (filename :'file', format 'csv');
SELECT of_source('from_file') <=> of_source('t') < 1e-6 AS same;
