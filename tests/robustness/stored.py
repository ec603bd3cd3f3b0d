"""Every way in which Postgres may have stored a value, and old snapshots over tables that were moved: always the rows that plain SQL sees."""

import itertools
import random

import libpq

_WIDTH = 700


def _same(session, table, filter_sql="true"):
    """Whether a call that draws all rows is the fit against the rows that plain SQL sees, and how many those are."""
    return session.query(
        f"SELECT hinted_exemplar('{table}', 'embedding', exemplar => v({_WIDTH}, 5), sample_size => 100000) <=> "
        f"exemplar_svm(ARRAY[v({_WIDTH}, 5)], array_agg(embedding)) < 1e-6, count(*) FROM {table} WHERE {filter_sql}"
    )[0]


def toast_states(checks):
    """Storage, compression and history of the values, each with each."""
    session, wrong, states, source = libpq.Connection(), [], 0, random.Random(4)
    methods = ["pglz"]
    if "lz4" in session.value("SELECT coalesce(enumvals::text, '') FROM pg_settings WHERE name = 'default_toast_compression'"):
        methods.append("lz4")
    # Values that compress and values that do not.
    values = {"dense": f"v({_WIDTH}, i)", "sparse": f"(SELECT array_agg(CASE WHEN k % 90 = i % 90 THEN i ELSE 0 END::real) FROM generate_series(1, {_WIDTH}) k)::vector"}
    histories = [
        [],
        ["UPDATE held SET embedding = embedding WHERE id % 2 = 0"],
        ["UPDATE held SET embedding = v({w}, id + 1) WHERE id % 3 = 0", "DELETE FROM held WHERE id % 5 = 0", "VACUUM held", "INSERT INTO held SELECT i, v({w}, i) FROM generate_series(500, 560) i"],
        ["UPDATE held SET id = id + 1", "VACUUM FULL held"],
        ["BEGIN; SAVEPOINT a; UPDATE held SET embedding = v({w}, id); ROLLBACK TO a; SAVEPOINT b; DELETE FROM held WHERE id < 20; RELEASE b; COMMIT"],
        ["BEGIN; INSERT INTO held SELECT i, v({w}, i) FROM generate_series(1, 90) i; ROLLBACK", "VACUUM held", "INSERT INTO held SELECT i, v({w}, -i) FROM generate_series(1, 90) i"],
        ["ALTER TABLE held ALTER embedding SET STORAGE PLAIN", "INSERT INTO held SELECT i, v({w}, i) FROM generate_series(600, 650) i"],
        ["CREATE INDEX by_chance ON held (md5(id::text))", "CLUSTER held USING by_chance"],
        ["ALTER TABLE held ADD more text DEFAULT repeat('x', 500)", "UPDATE held SET more = more || 'y' WHERE id % 2 = 0"],
        ["INSERT INTO held SELECT i, NULL FROM generate_series(1, 60) i", "INSERT INTO held SELECT i, embedding FROM held, generate_series(1, 2) i"],
    ]
    for storage, method, kind, history in itertools.product(["EXTERNAL", "EXTENDED", "MAIN"], methods, values, histories):
        session.query(f"DROP TABLE IF EXISTS held; CREATE TABLE held (id int, embedding vector({_WIDTH})); ALTER TABLE held ALTER embedding SET STORAGE {storage}")
        session.execute(f"ALTER TABLE held ALTER embedding SET COMPRESSION {method}")
        session.query(f"INSERT INTO held SELECT i, {values[kind]} FROM generate_series(1, {source.choice([60, 150])}) i")
        for statement in history:
            session.query(statement.replace("{w}", str(_WIDTH)))
        states += 1
        same, _ = _same(session, "held", "embedding IS NOT NULL")
        wrong += [] if same == "t" else [(storage, method, kind, history)]
    checks.that(f"toast: {states} states of storage are read right {wrong[:2]}", not wrong)
    session.query("DROP TABLE held")


def old_snapshots(checks):
    """A snapshot taken before a table is rewritten, replaced and emptied still sees what it always saw."""
    reader, writer = libpq.Connection(), libpq.Connection()
    writer.query(f"CREATE TABLE old AS SELECT i AS id, v({_WIDTH}, i) AS embedding FROM generate_series(1, 300) i; CREATE INDEX old_id ON old (md5(id::text)); CREATE TABLE elsewhere AS SELECT 1")
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        reader.query(f"BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM elsewhere")
        for step in ("UPDATE old SET embedding = v({w}, id + 7) WHERE id % 2 = 0", "VACUUM FULL old", "DELETE FROM old WHERE id % 3 = 0", "CLUSTER old USING old_id", "VACUUM old",
                     "INSERT INTO old SELECT i, v({w}, i) FROM generate_series(1, 100) i"):
            writer.query(step.replace("{w}", str(_WIDTH)))
            # Another savepoint gives back the lock that the next step needs.
            reader.query("SAVEPOINT s")
            same = _same(reader, "old")
            reader.query("ROLLBACK TO s")
            checks.that(f"snapshots, {level}: {same[1]} rows after {step[:40]}", same[0] == "t")
        reader.query("COMMIT")
        checks.that(f"snapshots: and a new one sees the new ones ({_same(reader, 'old')[1]})", _same(reader, "old")[0] == "t")
    # A cursor keeps its own snapshot in READ COMMITTED.
    reader.query(f"BEGIN; DECLARE c CURSOR FOR SELECT hinted_exemplar('old', 'embedding', exemplar => v({_WIDTH}, 5), sample_size => 100000) AS w, "
                 f"exemplar_svm(ARRAY[v({_WIDTH}, 5)], (SELECT array_agg(embedding) FROM old)) AS x")
    writer.query("DELETE FROM old WHERE id % 2 = 0")
    first, second = reader.query("FETCH 1 FROM c")[0]
    checks.that("snapshots: a cursor's call draws what the cursor sees", reader.value(f"SELECT '{first}'::vector <=> '{second}'::vector < 1e-6") == "t")
    reader.query("COMMIT")
    writer.query("DROP TABLE old, elsewhere")


def two_phases(checks):
    """Rows of transactions that are prepared are not seen before they are committed."""
    session = libpq.Connection()
    if session.value("SELECT current_setting('max_prepared_transactions')") == "0":
        print("skipped prepared: max_prepared_transactions is 0")
        return
    session.query(f"CREATE TABLE phased AS SELECT i AS id, v({_WIDTH}, i) AS embedding FROM generate_series(1, 200) i")
    for end in ("COMMIT", "ROLLBACK"):
        before = _same(session, "phased")
        session.query(f"BEGIN; INSERT INTO phased SELECT i, v({_WIDTH}, -i) FROM generate_series(1, 100) i; UPDATE phased SET embedding = v({_WIDTH}, id + 3) WHERE id % 2 = 0; "
                      f"DELETE FROM phased WHERE id % 9 = 0; PREPARE TRANSACTION 'phased'")
        during = _same(session, "phased")
        session.query(f"{end} PREPARED 'phased'")
        after = _same(session, "phased")
        checks.that(f"prepared: {before[1]} rows before, {during[1]} while prepared, {after[1]} after {end}",
                    (before[0], during[0], after[0]) == ("t",) * 3 and before[1] == during[1] and (after[1] == before[1]) == (end == "ROLLBACK"))
    session.query("DROP TABLE phased")
