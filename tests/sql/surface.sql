-- Everything that the extension owns, with the properties that the planner sees.
SET client_min_messages = warning;
CREATE EXTENSION hinted_exemplar CASCADE;
SELECT pg_describe_object(classid, objid, 0) COLLATE "C" AS object
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hinted_exemplar')
ORDER BY object;
SELECT proname, provolatile AS volatile, proparallel AS parallel, proisstrict AS strict, procost AS cost,
       obj_description(oid, 'pg_proc') AS comment
FROM pg_proc
WHERE oid IN (SELECT objid FROM pg_depend WHERE classid = 'pg_proc'::regclass AND deptype = 'e'
              AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hinted_exemplar'))
ORDER BY proname COLLATE "C";
