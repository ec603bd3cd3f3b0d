"""The database that calls are made in: every kind of relation, column type, role and hostile object."""

import dataclasses

# A server may lack what these say: an older pgvector, contrib modules.
_LACKING = {"42704", "42883", "58P01", "0A000", "F0000"}

ROLES = ["fuzz_owner", "fuzz_reader", "fuzz_column", "fuzz_tenant", "fuzz_stranger"]


@dataclasses.dataclass(frozen=True)
class Target:
    """A relation, its column of embeddings and how wide these are."""

    relation: str
    column: str = "v"
    dimensions: int = 8

    @property
    def vector(self):
        """The column as an expression of type vector, of a row called t."""
        return f't."{self.column}"::public.vector'

    @property
    def all_rows(self):
        """All of its rows as an expression of type vector[]."""
        return f'(SELECT pg_catalog.array_agg({self.vector}) FROM {self.relation} t WHERE t."{self.column}" IS NOT NULL)'

    def row(self, n):
        """Its n-th row as an expression."""
        return f"(SELECT {self.vector} FROM {self.relation} t OFFSET {n} LIMIT 1)"


# Vectors of any width, kind and number in a few letters, so that a failing statement is short. The search path of the caller is no matter.
_HELPERS = [
    """CREATE FUNCTION fuzz.v(kind text, d int, seed int) RETURNS public.vector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
       SET search_path = pg_catalog, public, pg_temp SET jit = off SET max_parallel_workers_per_gather = 0 AS $$
       BEGIN
           RETURN array_agg(CASE kind
               WHEN 'mild' THEN sin(i * 12.9898 + seed * 78.233)
               WHEN 'near' THEN sin(i * 12.9898) + sin(i * 12.9898 + seed * 78.233) / 50
               WHEN 'cone' THEN 3 + sin(i * 12.9898 + seed * 78.233)
               WHEN 'one' THEN CASE WHEN i = 1 + abs(seed) % d THEN 1 ELSE 0 END
               WHEN 'zero' THEN 0
               WHEN 'huge' THEN 1e38 * sin(i * 12.9898 + seed * 78.233)
               WHEN 'tiny' THEN 1e-38 * sin(i * 12.9898 + seed * 78.233)
               WHEN 'subnormal' THEN CASE WHEN i % 2 = 0 THEN 1e-45 ELSE 3e-44 END
               WHEN 'mixed' THEN sin(i * 12.9898 + seed) * power(10, (i * 7 + seed) % 60 - 30)
               WHEN 'line' THEN (1 + abs(seed)) * sin(i * 12.9898)
               WHEN 'opposite' THEN -(1 + abs(seed)) * sin(i * 12.9898)
           END::float4 ORDER BY i)::vector FROM generate_series(1, d) i;
       END $$""",
    """CREATE FUNCTION fuzz.vs(kind text, d int, n int, seed int) RETURNS public.vector[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
       SET search_path = pg_catalog, public, pg_temp SET jit = off SET max_parallel_workers_per_gather = 0 AS $$ SELECT coalesce(array_agg(fuzz.v(kind, d, seed + i) ORDER BY i), '{}') FROM generate_series(1, n) i $$""",
    # Functions around, beside and before a call that Postgres inlines, and one that it cannot.
    "CREATE FUNCTION fuzz.inlined(x anyelement) RETURNS anyelement LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT x $$",
    "CREATE FUNCTION fuzz.restricted(x anyelement) RETURNS anyelement LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$ SELECT x $$",
    "CREATE FUNCTION fuzz.unsafe(x anyelement) RETURNS anyelement LANGUAGE sql VOLATILE AS $$ SELECT x $$",
    "CREATE FUNCTION fuzz.opaque(x anyelement) RETURNS anyelement LANGUAGE plpgsql AS $$ BEGIN RETURN x; END $$",
]

_RELATIONS = [
    "CREATE TABLE fuzz.heap (id int PRIMARY KEY, tag text, v vector(8)); "
    "INSERT INTO fuzz.heap SELECT i, 'tag' || i % 5, fuzz.v('mild', 8, i) FROM generate_series(1, 300) i",
    "CREATE TABLE fuzz.longer (id int, v vector(4)) WITH (autovacuum_enabled = off); "
    "INSERT INTO fuzz.longer SELECT i, fuzz.v('cone', 4, i) FROM generate_series(1, 6000) i; DELETE FROM fuzz.longer WHERE id % 3 = 0",
    "CREATE UNLOGGED TABLE fuzz.unlogged AS SELECT id, v FROM fuzz.heap WHERE id < 50",
    "CREATE TABLE fuzz.parted (id int, v vector) PARTITION BY RANGE (id); "
    "CREATE TABLE fuzz.part_sub PARTITION OF fuzz.parted FOR VALUES FROM (0) TO (100) PARTITION BY HASH (id); "
    "CREATE TABLE fuzz.part_sub0 PARTITION OF fuzz.part_sub FOR VALUES WITH (MODULUS 2, REMAINDER 0); "
    "CREATE TABLE fuzz.part_sub1 PARTITION OF fuzz.part_sub FOR VALUES WITH (MODULUS 2, REMAINDER 1); "
    "CREATE TABLE fuzz.part_more PARTITION OF fuzz.parted FOR VALUES FROM (100) TO (200); "
    "CREATE TABLE fuzz.part_empty PARTITION OF fuzz.parted DEFAULT; INSERT INTO fuzz.parted SELECT id, v FROM fuzz.heap WHERE id < 200",
    "CREATE TABLE fuzz.no_parts (id int, v vector(8)) PARTITION BY HASH (id)",
    "CREATE TABLE fuzz.mother (id int, v vector(8)); CREATE TABLE fuzz.child (extra text) INHERITS (fuzz.mother); "
    "INSERT INTO fuzz.mother SELECT id, v FROM fuzz.heap WHERE id < 30; INSERT INTO fuzz.child SELECT id, v, 'x' FROM fuzz.heap WHERE id BETWEEN 30 AND 60",
    "CREATE VIEW fuzz.viewed AS SELECT id, v FROM fuzz.heap WHERE id % 2 = 0",
    "CREATE VIEW fuzz.moody AS SELECT id, v FROM fuzz.heap WHERE random() < 0.5",
    "CREATE VIEW fuzz.failing AS SELECT id, CASE WHEN 1 / (id - 77) >= 0 THEN v ELSE v END AS v FROM fuzz.heap",
    "CREATE FUNCTION fuzz.raising(id int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF id = 33 THEN RAISE EXCEPTION 'raised' USING ERRCODE = 'AB123'; END IF; RETURN true; END $$; "
    "CREATE VIEW fuzz.raised AS SELECT id, v FROM fuzz.heap WHERE fuzz.raising(id)",
    "CREATE MATERIALIZED VIEW fuzz.stored AS SELECT id, v FROM fuzz.heap WHERE id < 100",
    "CREATE MATERIALIZED VIEW fuzz.unfilled AS SELECT id, v FROM fuzz.heap WITH NO DATA",
    "CREATE TABLE fuzz.empty (id int, v vector(8))",
    "CREATE TABLE fuzz.one AS SELECT id, v FROM fuzz.heap WHERE id = 7",
    "CREATE TABLE fuzz.two AS SELECT id, v FROM fuzz.heap WHERE id < 3",
    "CREATE TABLE fuzz.equal AS SELECT i AS id, fuzz.v('mild', 8, 1) AS v FROM generate_series(1, 40) i",
    "CREATE TABLE fuzz.line AS SELECT i AS id, fuzz.v('line', 8, i) AS v FROM generate_series(1, 40) i",
    "CREATE TABLE fuzz.both_ways AS SELECT i AS id, fuzz.v(CASE WHEN i % 2 = 0 THEN 'line' ELSE 'opposite' END, 8, i) AS v FROM generate_series(1, 40) i",
    "CREATE TABLE fuzz.holes AS SELECT i AS id, CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN fuzz.v('zero', 8, i) ELSE fuzz.v('mild', 8, i) END AS v FROM generate_series(1, 60) i",
    "CREATE TABLE fuzz.nothing_but_null AS SELECT i AS id, NULL::vector(8) AS v FROM generate_series(1, 20) i",
    "CREATE TABLE fuzz.nothing_but_zero AS SELECT i AS id, fuzz.v('zero', 8, i) AS v FROM generate_series(1, 20) i",
    "CREATE TABLE fuzz.extremes (id int, v vector(8)); INSERT INTO fuzz.extremes SELECT i, fuzz.v((ARRAY['huge','tiny','subnormal','mixed','one','zero'])[1 + i % 6], 8, i) FROM generate_series(1, 60) i",
    "CREATE TABLE fuzz.huge AS SELECT i AS id, fuzz.v('huge', 8, i) AS v FROM generate_series(1, 60) i",
    "CREATE TABLE fuzz.tiny AS SELECT i AS id, fuzz.v('subnormal', 8, i) AS v FROM generate_series(1, 60) i",
    "CREATE TABLE fuzz.uneven (id int, v vector); INSERT INTO fuzz.uneven SELECT i, fuzz.v('mild', 1 + i % 9, i) FROM generate_series(1, 90) i",
    "CREATE TABLE fuzz.narrow AS SELECT i AS id, fuzz.v('mild', 1, i) AS v FROM generate_series(1, 50) i",
    "CREATE TABLE fuzz.wide AS SELECT i AS id, fuzz.v('mild', 16000, i) AS v FROM generate_series(1, 12) i",
    "CREATE TABLE fuzz.toasted (id int, v vector(1000)); ALTER TABLE fuzz.toasted ALTER v SET STORAGE EXTERNAL; "
    "INSERT INTO fuzz.toasted SELECT i, fuzz.v('mild', 1000, i) FROM generate_series(1, 150) i; "
    "UPDATE fuzz.toasted SET v = fuzz.v('one', 1000, id) WHERE id % 7 = 0; DELETE FROM fuzz.toasted WHERE id % 11 = 0",
    "CREATE TABLE fuzz.compressed (id int, v vector(1000)); ALTER TABLE fuzz.compressed ALTER v SET STORAGE EXTENDED; "
    "INSERT INTO fuzz.compressed SELECT i, fuzz.v('one', 1000, i) FROM generate_series(1, 100) i; INSERT INTO fuzz.compressed SELECT i, fuzz.v('mild', 1000, i) FROM generate_series(1, 50) i",
    "CREATE TABLE fuzz.dropped (a text, id int, b float8, v vector(8), c int); INSERT INTO fuzz.dropped SELECT 'x', id, 1, v, 1 FROM fuzz.heap WHERE id < 60; "
    "ALTER TABLE fuzz.dropped DROP a, DROP b, DROP c; ALTER TABLE fuzz.dropped ADD later vector(8) DEFAULT '[1,2,3,4,5,6,7,8]'",
    "CREATE TABLE fuzz.computed (id int, source vector(8), v vector(8) GENERATED ALWAYS AS (source) STORED); INSERT INTO fuzz.computed (id, source) SELECT id, v FROM fuzz.heap WHERE id < 60",
    'CREATE TABLE fuzz."or""der; --" (id int, "co\'l ""umn" vector(8)); INSERT INTO fuzz."or""der; --" SELECT id, v FROM fuzz.heap WHERE id < 40',
    "CREATE TABLE fuzz.by_hnsw AS SELECT id, v FROM fuzz.heap; CREATE INDEX ON fuzz.by_hnsw USING hnsw (v vector_ip_ops); CREATE INDEX ON fuzz.by_hnsw USING hnsw (v vector_cosine_ops)",
    "CREATE TABLE fuzz.by_ivfflat AS SELECT id, v FROM fuzz.heap; CREATE INDEX ON fuzz.by_ivfflat USING ivfflat (v vector_ip_ops) WITH (lists = 5)",
    "CREATE TABLE fuzz.by_partial AS SELECT id, v FROM fuzz.heap; CREATE INDEX ON fuzz.by_partial USING hnsw (v vector_ip_ops) WHERE id % 2 = 0",
    "CREATE TABLE fuzz.secured (id int, tenant name, v vector(8)); INSERT INTO fuzz.secured SELECT id, (ARRAY['fuzz_tenant','fuzz_reader'])[1 + id % 2], v FROM fuzz.heap; "
    "ALTER TABLE fuzz.secured ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY own ON fuzz.secured USING (tenant = current_user)",
    "CREATE TABLE fuzz.secured_badly AS SELECT id, v FROM fuzz.heap WHERE id < 80; ALTER TABLE fuzz.secured_badly ENABLE ROW LEVEL SECURITY; "
    "CREATE POLICY own ON fuzz.secured_badly USING (id <> 1 / (id - 40))",
    # Column types: those that are read, and those that must be refused.
    "CREATE TABLE fuzz.half AS SELECT id, v::halfvec(8) AS v FROM fuzz.heap WHERE id < 100; CREATE INDEX ON fuzz.half USING hnsw (v halfvec_ip_ops)",
    "CREATE TABLE fuzz.half_wide AS SELECT id, v::halfvec AS v FROM fuzz.toasted",
    "CREATE TABLE fuzz.sparse AS SELECT id, v::sparsevec(8) AS v FROM fuzz.heap WHERE id < 100",
    "CREATE TABLE fuzz.sparse_wide (id int, v sparsevec); INSERT INTO fuzz.sparse_wide SELECT i, ('{' || i || ':1,9:2}/' || 15990 + i)::sparsevec FROM generate_series(10, 30) i",
    "CREATE TABLE fuzz.reals AS SELECT id, v::real[] AS v FROM fuzz.heap WHERE id < 100",
    "CREATE TABLE fuzz.doubles AS SELECT id, v::real[]::float8[] AS v FROM fuzz.heap WHERE id < 100",
    "CREATE TABLE fuzz.odd_doubles (id int, v float8[]); INSERT INTO fuzz.odd_doubles VALUES (1, '{}'), (2, '{{1,2},{3,4}}'), (3, '{NaN,1}'), (4, '{1,NULL}'), (5, '[5:6]={1,2}'), (6, '{1e300,1}'), (7, '{Infinity,0}'), (8, '{1,2}')",
    "CREATE TABLE fuzz.offset_doubles AS SELECT id, ('[3:10]=' || v::real[]::text)::float8[] AS v FROM fuzz.heap WHERE id < 60",
    "CREATE DOMAIN fuzz.embedding AS vector(8) CHECK (vector_dims(VALUE) = 8); CREATE DOMAIN fuzz.twice AS fuzz.embedding; "
    "CREATE TABLE fuzz.domained AS SELECT id, v::fuzz.twice AS v FROM fuzz.heap WHERE id < 60",
    "CREATE DOMAIN fuzz.list AS real[] CHECK (array_length(VALUE, 1) = 8); CREATE TABLE fuzz.listed AS SELECT id, v::real[]::fuzz.list AS v FROM fuzz.heap WHERE id < 60",
    "CREATE TABLE fuzz.integers AS SELECT id, id AS v, ARRAY[id, id] AS a, id::text AS s, id % 2 = 0 AS b, (id || ' s')::interval AS i, point(id, id) AS p, jsonb_build_array(id) AS j, '101'::bit(3) AS c FROM fuzz.heap WHERE id < 30",
    "CREATE TYPE fuzz.pair AS (a vector, b vector); CREATE TABLE fuzz.pairs AS SELECT id, ROW(v, v)::fuzz.pair AS v, ARRAY[v, v] AS a FROM fuzz.heap WHERE id < 30",
    "CREATE TYPE fuzz.span AS RANGE (subtype = float8); CREATE TABLE fuzz.spans AS SELECT id, fuzz.span(id, id + 1) AS v FROM fuzz.heap WHERE id < 30",
    # Types of a user with a cast to vector, by value, by reference, recursive.
    "CREATE TYPE fuzz.letter AS ENUM ('a', 'b'); CREATE FUNCTION fuzz.cast_letter(fuzz.letter) RETURNS vector LANGUAGE sql IMMUTABLE AS $$ SELECT '[1,2,3,4,5,6,7,8]'::public.vector $$; "
    "CREATE CAST (fuzz.letter AS vector) WITH FUNCTION fuzz.cast_letter(fuzz.letter); CREATE TABLE fuzz.letters AS SELECT i AS id, 'a'::fuzz.letter AS v FROM generate_series(1, 9) i",
    "CREATE TYPE fuzz.number AS (a int); CREATE TABLE fuzz.numbers AS SELECT i AS id, ROW(i)::fuzz.number AS v FROM generate_series(1, 9) i; "
    "CREATE FUNCTION fuzz.cast_number(fuzz.number) RETURNS vector LANGUAGE plpgsql AS $$ BEGIN RETURN public.hinted_exemplar('fuzz.numbers', 'v', exemplar => '[1,2]'); END $$; "
    "CREATE CAST (fuzz.number AS vector) WITH FUNCTION fuzz.cast_number(fuzz.number)",
    "CREATE TYPE fuzz.nothing AS (a int); CREATE TABLE fuzz.nothings AS SELECT i AS id, ROW(i)::fuzz.nothing AS v FROM generate_series(1, 9) i; "
    "CREATE FUNCTION fuzz.cast_nothing(fuzz.nothing) RETURNS vector LANGUAGE sql AS $$ SELECT NULL::public.vector $$; CREATE CAST (fuzz.nothing AS vector) WITH FUNCTION fuzz.cast_nothing(fuzz.nothing)",
    "CREATE VIEW fuzz.nested AS SELECT id, hinted_exemplar('fuzz.one', 'v', exemplar => v, hint => '[1,1,1,1,1,1,1,1]') AS v FROM fuzz.heap WHERE id < 4",
    "CREATE SEQUENCE fuzz.counter; CREATE INDEX heap_tag ON fuzz.heap (tag)",
    # Foreign tables of two wrappers, one with no rows' places at all.
    "CREATE EXTENSION IF NOT EXISTS file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; "
    "CREATE FOREIGN TABLE fuzz.filed (id int, v vector) SERVER files OPTIONS (program 'for i in 1 2 3 4 5 6 7 8 9; do echo \"$i;[$i,1,2,3,4,5,6,-$i]\"; done', delimiter ';')",
    "CREATE EXTENSION IF NOT EXISTS postgres_fdw; "
    "DO $$ BEGIN EXECUTE format('CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L, extensions ''vector'')', "
    "split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database()); END $$; "
    "CREATE USER MAPPING FOR PUBLIC SERVER itself OPTIONS (user 'postgres', password_required 'false'); "
    "CREATE FOREIGN TABLE fuzz.far (id int, v vector(8)) SERVER itself OPTIONS (schema_name 'fuzz', table_name 'heap'); "
    "CREATE FOREIGN TABLE fuzz.far_away (id int, v vector(8)) SERVER itself OPTIONS (schema_name 'fuzz', table_name 'not_there')",
]

_ROLES = [
    *(f"CREATE ROLE {role} NOLOGIN" for role in ROLES),
    "GRANT USAGE ON SCHEMA fuzz TO PUBLIC; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA fuzz TO PUBLIC",
    "GRANT CREATE ON SCHEMA fuzz TO fuzz_owner; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA fuzz TO fuzz_owner",
    "GRANT SELECT ON ALL TABLES IN SCHEMA fuzz TO fuzz_reader, fuzz_tenant",
    "GRANT SELECT (v) ON fuzz.heap, fuzz.longer, fuzz.parted, fuzz.by_hnsw, fuzz.toasted TO fuzz_column",
]

# Everything of a first schema that generated SQL could pick up if it left a name unqualified; to run any of it is a fault.
HOSTILE_STATE = "ZZ999"
_TYPES = "bool int2 int4 int8 float4 float8 text name oid tid regclass jsonb vector halfvec sparsevec record _float4 _float8 _vector _tid"
_HOSTILE = [
    "CREATE SCHEMA hostile; GRANT USAGE ON SCHEMA hostile TO PUBLIC",
    f"CREATE FUNCTION hostile.ran(what text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION SQLSTATE '{HOSTILE_STATE}' USING MESSAGE = 'hostile code ran: ' || what; END $$",
    # Functions and operators of the same names and arguments as Postgres' and pgvector's own.
    r"""DO $$ DECLARE f record; arguments text; BEGIN
        FOR f IN SELECT p.oid, p.proname, p.pronargs, pg_get_function_identity_arguments(p.oid) AS arguments, format_type(p.prorettype, NULL) AS result
                 FROM pg_proc p WHERE prokind = 'f' AND NOT proretset AND pronamespace IN ('pg_catalog'::regnamespace, 'public'::regnamespace)
                   AND (proname ~ '^(random|abs|sqrt|power|length|float8|float4|int4|int8|text|name|vector|halfvec|sparsevec|l2_|inner_|cosine_|vector_|array_to|tableoid|ctid|pg_relation_size|to_regclass|format|quote_|current_|ceil|floor|greatest|hash|md5|unnest|tidsend|generate_series|row_security)' )
                   AND proname !~ '^hinted' AND pronargs <= 4 LOOP
            BEGIN
                EXECUTE format('CREATE FUNCTION hostile.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', f.proname, f.arguments, f.result,
                               format('BEGIN PERFORM hostile.ran(%L); RETURN NULL; END', 'function ' || f.proname));
            EXCEPTION WHEN OTHERS THEN NULL; END;
        END LOOP;
        FOR f IN SELECT oprname, oprleft::regtype::text AS l, oprright::regtype::text AS r, oprresult::regtype::text AS result, row_number() OVER () AS n
                 FROM pg_operator o JOIN pg_type a ON a.oid = oprleft JOIN pg_type b ON b.oid = oprright
                 WHERE oprresult <> 0 AND a.typname = ANY (string_to_array('""" + _TYPES + r"""', ' ')) AND b.typname = ANY (string_to_array('""" + _TYPES + r"""', ' ')) LOOP
            BEGIN
                EXECUTE format('CREATE FUNCTION hostile.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', f.n, f.l, f.r, f.result,
                               format('BEGIN PERFORM hostile.ran(%L); RETURN NULL; END', 'operator ' || f.oprname));
                EXECUTE format('CREATE OPERATOR hostile.%s (FUNCTION = hostile.operator_%s, LEFTARG = %s, RIGHTARG = %s)', f.oprname, f.n, f.l, f.r);
            EXCEPTION WHEN OTHERS THEN NULL; END;
        END LOOP;
    END $$""",
]

# Of a session's own schema, which Postgres searches first for types and relations.
_TEMPORARY = [
    "CREATE TEMP TABLE session_heap AS SELECT id, v FROM fuzz.heap WHERE id < 120",
    "CREATE TEMP TABLE session_toasted AS SELECT id, v FROM fuzz.toasted",
    r"""DO $$ DECLARE name text; BEGIN
        FOREACH name IN ARRAY string_to_array('""" + _TYPES + r"""', ' ') LOOP
            BEGIN
                EXECUTE format('CREATE DOMAIN pg_temp.%I AS %s CHECK (hostile.ran(%L) OR VALUE IS NULL)', name,
                               (SELECT oid::regtype FROM pg_type WHERE typname = name AND typnamespace IN ('pg_catalog'::regnamespace, 'public'::regnamespace)),
                               'type ' || name);
            EXCEPTION WHEN OTHERS THEN NULL; END;
        END LOOP;
        FOREACH name IN ARRAY ARRAY['pg_class', 'pg_attribute', 'pg_type', 'pg_index', 'pg_inherits', 'pg_proc', 'pg_operator', 'pg_am', 'pg_cast', 'pg_opclass', 'pg_stats', 'pg_settings'] LOOP
            EXECUTE format('CREATE VIEW pg_temp.%I AS SELECT hostile.ran(%L) AS oid', name, 'relation ' || name);
        END LOOP;
    END $$""",
]


def _run(connection, statements):
    lacking = []
    for statement in statements:
        for result in connection.execute("BEGIN; SET LOCAL search_path = public; " + statement):
            if result.error and result.error.state not in _LACKING:
                raise SystemExit(f"{result.error}\nSQL: {statement}")
            if result.error:
                lacking.append(result.error.message)
        connection.execute("COMMIT")
    return lacking


def make(connection):
    """Fills an empty database with all of it; returns what this server has not got, as its errors say."""
    connection.query("CREATE EXTENSION hinted_exemplar CASCADE; CREATE SCHEMA fuzz; SET client_min_messages = warning")
    for role in ROLES:
        connection.execute(f"DROP ROLE IF EXISTS {role}")
    lacking = _run(connection, [*_HELPERS, *_RELATIONS, *_ROLES, *_HOSTILE, "ANALYZE fuzz.heap, fuzz.parted, fuzz.by_hnsw"])
    # A server that does not wait for its log may lose in a crash what was not written.
    connection.query("CHECKPOINT")
    return lacking


def join(connection):
    """Gives a session its own temporary objects."""
    _run(connection, _TEMPORARY)
    connection.execute("GRANT SELECT ON session_heap, session_toasted TO PUBLIC")


def targets(connection):
    """Every relation there is, with each of its columns that could be asked for."""
    rows = connection.query(
        """SELECT c.oid::pg_catalog.regclass, a.attname, c.relkind
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'id'
           WHERE c.relnamespace = 'fuzz'::pg_catalog.regnamespace OR c.relname IN ('session_heap', 'session_toasted')
              OR c.oid IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_type'::pg_catalog.regclass)
              OR c.oid = (SELECT reltoastrelid FROM pg_catalog.pg_class WHERE oid = 'fuzz.toasted'::pg_catalog.regclass)
           ORDER BY c.relname, a.attnum"""
    )
    widths = {"longer": 4, "wide": 16000, "narrow": 1, "toasted": 1000, "session_toasted": 1000, "compressed": 1000, "half_wide": 1000, "odd_doubles": 2, "numbers": 2, "sparse_wide": 16000}
    made = [Target(relation, column.replace('"', '""'), widths.get(relation.rpartition(".")[2], 8)) for relation, column, _ in rows]
    likely = [target for target, row in zip(made, rows) if target.column == "v" and row[2] not in "iIcS"]
    return likely, made
