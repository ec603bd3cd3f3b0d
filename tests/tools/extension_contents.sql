-- Everything that hinted_exemplar consists of, one text an object: definition, comment and privileges.
WITH members AS (
    SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS name
    FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'hinted_exemplar'
)
SELECT name || ': ' || definition AS contents
FROM members CROSS JOIN LATERAL (
    SELECT pg_get_functiondef(p.oid) FROM pg_proc p WHERE classid = 'pg_proc'::regclass AND p.oid = objid AND p.prokind <> 'a'
    UNION ALL
    SELECT concat_ws(' ', pg_get_function_arguments(p.oid), '->', pg_get_function_result(p.oid), a.aggkind, a.aggnumdirectargs, a.aggtransfn, a.aggfinalfn,
                     a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggfinalextra, a.aggfinalmodify, a.aggsortop, a.aggtranstype::regtype,
                     a.aggtransspace, a.agginitval, p.provolatile, p.proparallel, p.procost)
    FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE classid = 'pg_proc'::regclass AND p.oid = objid
    UNION ALL
    SELECT concat('owner and privileges ', p.proacl) FROM pg_proc p WHERE classid = 'pg_proc'::regclass AND p.oid = objid
    UNION ALL
    SELECT concat('comment ', obj_description(objid, classid::regclass::text))
    UNION ALL
    SELECT concat_ws(' ', 'column', a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum))
    FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid WHERE classid = 'pg_type'::regclass AND t.oid = objid AND a.attnum > 0
) of (definition)
ORDER BY (name || definition) COLLATE "C";
