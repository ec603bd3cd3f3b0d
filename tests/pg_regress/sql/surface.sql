-- Everything that the extension owns, with the properties that the planner sees.
SET client_min_messages = warning;
CREATE EXTENSION hinted_exemplar CASCADE;
SELECT pg_describe_object(classid, objid, 0) COLLATE "C" AS object
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hinted_exemplar')
  AND pg_describe_object(classid, objid, 0) !~ '\[\]$'  -- an array type is an object of its own from Postgres 18 on
ORDER BY object;
SELECT proname, provolatile AS volatile, proparallel AS parallel, proisstrict AS strict, procost AS cost, prorows AS rows,
       nullif(prosupport, 0)::regproc AS support,
       obj_description(oid, 'pg_proc') AS comment
FROM pg_proc
WHERE oid IN (SELECT objid FROM pg_depend WHERE classid = 'pg_proc'::regclass AND deptype = 'e'
              AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hinted_exemplar'))
ORDER BY proname COLLATE "C", pronargs;
-- Every column of the fit is described, and functions that share arguments have them in one order.
SELECT attname FROM pg_attribute WHERE attrelid = 'exemplar_fit'::regclass AND attnum > 0 AND col_description(attrelid, attnum) IS NULL;
SELECT count(DISTINCT proargnames[1:(SELECT min(pronargs) FROM pg_proc WHERE proname = 'hinted_exemplar')]) AS orders, count(DISTINCT split_part(pg_get_expr(proargdefaults, 0), ', 20, ', 1)) AS defaults, array_agg(DISTINCT pronargs) AS arguments
FROM pg_proc WHERE proname ~ '^hinted_exemplar' AND proname !~ '_(support|version)$';
