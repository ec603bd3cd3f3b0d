-- What the script calls vector must be pgvector's type, and no other that someone has put into the schema of this extension: it would be
-- read as a vector, and what it checks would run as the owner of this script.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_depend AS part, pg_catalog.pg_extension AS extension
        WHERE part.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid
          AND part.objid OPERATOR(pg_catalog.=) pg_catalog.to_regtype('vector')::pg_catalog.oid
          AND part.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char"
          AND part.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
          AND part.refobjid OPERATOR(pg_catalog.=) extension.oid
          AND extension.extname OPERATOR(pg_catalog.=) 'vector'::pg_catalog.name
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'the type "vector" of this schema is not that of the extension "vector"',
            HINT = 'Create the extension in another schema, or first drop that type.';
    END IF;
END
$$;
