"""Tables and the extension itself are altered while they are read."""

import random

import libpq
from common import Workers, fault

_TABLES = """
CREATE TABLE {t} (id int, kind int, embedding vector(24)); INSERT INTO {t} SELECT i, i % 4, v(24, i) FROM generate_series(1, 2500) i;
"""

# What may be done to a table of rows; {n} is a random number.
_DDL = [
    "ALTER TABLE {t} ADD extra{n} text DEFAULT 'x'",
    "DO $$ DECLARE c text; BEGIN SELECT attname INTO c FROM pg_attribute WHERE attrelid = '{t}'::regclass AND attname LIKE 'extra%' AND NOT attisdropped LIMIT 1; "
    "IF c IS NOT NULL THEN EXECUTE 'ALTER TABLE {t} DROP ' || c; END IF; END $$",
    "VACUUM FULL {t}",
    "VACUUM (FREEZE, ANALYZE) {t}",
    "CREATE INDEX IF NOT EXISTS {t}_hnsw ON {t} USING hnsw (embedding vector_ip_ops) WITH (m = 4, ef_construction = 8)",
    "DROP INDEX IF EXISTS {t}_hnsw",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS {t}_id ON {t} (id)",
    "CLUSTER {t} USING {t}_id",
    "DROP INDEX CONCURRENTLY IF EXISTS {t}_id",
    "REINDEX TABLE {t}",
    "BEGIN; CREATE TEMP TABLE held ON COMMIT DROP AS TABLE {t}; TRUNCATE {t}; INSERT INTO {t} (id, kind, embedding) SELECT id, kind, embedding FROM held; COMMIT",
    "BEGIN; ALTER TABLE {t} RENAME TO {t}_old; CREATE TABLE {t} (id int, kind int, embedding vector(24)); INSERT INTO {t} SELECT id, kind, embedding FROM {t}_old; DROP TABLE {t}_old; COMMIT",
    "ALTER TABLE {t} ALTER embedding SET STORAGE EXTERNAL",
    "ALTER TABLE {t} ALTER embedding SET STORAGE PLAIN",
    "ALTER TABLE {t} ALTER embedding TYPE real[] USING embedding::real[]",
    "ALTER TABLE {t} ALTER embedding TYPE halfvec(24) USING embedding::vector::halfvec(24)",
    "ALTER TABLE {t} ALTER embedding TYPE vector(24) USING embedding::vector(24)",
    "ALTER TABLE {t} RENAME embedding TO other",
    "ALTER TABLE {t} RENAME other TO embedding",
    "ALTER TABLE {t} SET UNLOGGED",
    "ALTER TABLE {t} SET LOGGED",
    "ALTER TABLE {t} SET (fillfactor = 50)",
    "BEGIN; CREATE TABLE {t}_child () INHERITS ({t}); INSERT INTO {t}_child (id, embedding) SELECT id, embedding FROM ONLY {t} LIMIT 50; COMMIT",
    "DROP TABLE IF EXISTS {t}_child",
    "DELETE FROM {t} WHERE id % 17 = {n} % 17",
    "UPDATE {t} SET kind = kind + 1 WHERE id % 5 = {n} % 5",
    "INSERT INTO {t} (id, kind, embedding) SELECT id, kind, embedding FROM {t} ORDER BY md5(id::text || {n}) LIMIT 100",
    "BEGIN; DELETE FROM {t}; ROLLBACK",
    "BEGIN; SAVEPOINT s; UPDATE {t} SET id = id + 1; ROLLBACK TO s; UPDATE {t} SET kind = 0 WHERE id < 100; COMMIT",
    "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE {t} DISABLE ROW LEVEL SECURITY",
    "ANALYZE {t}",
    "DROP TABLE IF EXISTS {t} CASCADE; " + _TABLES,
]

_PARTS = [
    "CREATE TABLE IF NOT EXISTS extra_part PARTITION OF pieces FOR VALUES FROM (3000) TO (4000); INSERT INTO pieces SELECT i, v(24, i) FROM generate_series(3000, 3300) i",
    "ALTER TABLE pieces DETACH PARTITION extra_part",
    "ALTER TABLE pieces DETACH PARTITION extra_part CONCURRENTLY",
    "ALTER TABLE pieces ATTACH PARTITION extra_part FOR VALUES FROM (3000) TO (4000)",
    "DROP TABLE IF EXISTS extra_part",
    "TRUNCATE piece1; INSERT INTO pieces SELECT i, v(24, i) FROM generate_series(1, 900) i",
    "UPDATE pieces SET id = id % 3000 WHERE id % 7 = {n} % 7",
    "VACUUM FULL pieces",
    "DELETE FROM pieces WHERE id % 13 = {n} % 13",
]

# What a reader may meet while others alter what it reads; what it meets by plain SQL it may meet here too.
_ALLOWED = {"42P01", "42703", "0A000", "40P01", "40001", "42804", "42501", "55P03", "57014", "42704", "55000", "22000", "22023", "42809", "42883", "22004"}


def ddl(checks):
    """Calls that draw all rows, against plain SQL in the same snapshot, beside two sessions that alter what they read."""
    setup = libpq.Connection()
    setup.query(_TABLES.format(t="moved") + "CREATE TABLE pieces (id int, embedding vector(24)) PARTITION BY RANGE (id); CREATE TABLE piece1 PARTITION OF pieces FOR VALUES FROM (0) TO (1000); "
                "CREATE TABLE piece2 PARTITION OF pieces FOR VALUES FROM (1000) TO (3000); INSERT INTO pieces SELECT i, v(24, i) FROM generate_series(1, 2500) i; ANALYZE pieces")
    count, compared, refused, wrong, unlike = checks.times(1500), 0, {}, [], (0.0, "")
    with Workers(_changer("moved", _DDL, 7), _changer("pieces", _PARTS, 8)) as workers:
        source, session = random.Random(9), libpq.Connection()
        for _ in range(count):
            source_name = source.choice(["moved", "moved", "pieces"])
            mine = f"hinted_exemplar('{source_name}', 'embedding', exemplar => v(24, 5), hint => v(24, 9), sample_size => 1000000)"
            plain = f"exemplar_svm(ARRAY[v(24, 5)], (SELECT array_agg(embedding::vector) FROM {source_name}), hints => ARRAY[v(24, 9)])"
            session.execute(f"BEGIN ISOLATION LEVEL {source.choice(['REPEATABLE READ', 'SERIALIZABLE', 'REPEATABLE READ'])}")
            # A partition may come between two statements, for plain SQL as well: so that is asked before and after.
            results = [session.execute(f"SELECT {expression} AS w", 60)[0] for expression in (source.choice([mine, plain]), plain, mine, plain)]
            session.execute("ROLLBACK")
            errors = [result.error for result in results if result.error and result.error.state != "25P02"]
            if errors:
                refused[errors[0].state] = refused.get(errors[0].state, 0) + 1
                wrong += [str(error) for error in errors if error.state not in _ALLOWED]
                continue
            before, answer, after = (result.rows[0][0] for result in results[1:])
            if before == after and answer and before:
                compared += 1
                distance = 1 - sum(a * b for a, b in zip(numbers(answer), numbers(before)))
                unlike = max(unlike, (distance, source_name))
    checks.that(f"ddl: {compared} answers are those of plain SQL, at most {unlike[0]:.1e} apart ({unlike[1]}); refused {refused} {wrong[:2]}", compared > count // 20 and unlike[0] < 1e-5 and not wrong)
    checks.that(f"ddl: those that altered came to no harm {workers.raised[:2]}", not workers.raised)
    setup.query("DROP TABLE IF EXISTS moved, pieces, extra_part CASCADE")


def numbers(text):
    """A vector's numbers."""
    return [float(number) for number in text.strip("[]").split(",")]


def _changer(table, statements, seed):
    source = random.Random(seed)

    def change(connection):
        statement = source.choice(statements).format(t=table, n=source.randrange(1000))
        # A lock that comes late must not stop all.
        connection.execute("SET lock_timeout = '2s'; SET statement_timeout = '20s'; SET client_min_messages = error")
        for result in connection.execute(statement, 60):
            if result.error and fault(result.error) and "concurrently" not in result.error.message:
                raise RuntimeError(f"{result.error} of {statement}")
        connection.execute("ROLLBACK")

    return change


def extension(checks):
    """The extension is dropped and created again while others call it."""
    setup, calls, refused, wrong = libpq.Connection(), 0, {}, []

    def drop_and_create(connection):
        for result in connection.execute("DROP EXTENSION IF EXISTS hinted_exemplar CASCADE; CREATE EXTENSION hinted_exemplar", 60):
            if result.error:
                raise RuntimeError(str(result.error))

    with Workers(drop_and_create):
        sessions = [libpq.Connection() for _ in range(3)]
        for i in range(checks.times(1500)):
            sql = f"SELECT hinted_exemplar('part0', 'embedding', exemplar => v(8, {i % 40}), hint => v(8, 6))"
            result = sessions[i % 3].execute(sql, 60)[0]
            calls += not result.error
            if result.error:
                refused[result.error.state] = refused.get(result.error.state, 0) + 1
                # Postgres itself says so of a function that goes away between two looks.
                if result.error.state != "42883" and not result.error.message.startswith(("cache lookup failed", "could not find tuple", "function with OID")):
                    wrong.append(str(result.error))
    checks.that(f"extension: {calls} answers, refused {refused} {wrong[:2]}", calls > 0 and not wrong)
    setup.query("CREATE EXTENSION IF NOT EXISTS hinted_exemplar")
    checks.that("extension: it works when all is over", setup.value("SELECT hinted_exemplar('part0', 'embedding', exemplar => v(8, 1)) IS NOT NULL") == "t")
