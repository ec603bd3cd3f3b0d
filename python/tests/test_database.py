"""Against a server that PGHOST and PGPORT point to; skipped where there is none."""

import os

import numpy as np
import pytest

import hinted_exemplar
import hinted_exemplar.literals

psycopg = pytest.importorskip("psycopg")
if "PGHOST" not in os.environ:
    pytest.skip("no server: PGHOST is not set", allow_module_level=True)

DIMENSIONS = 16


def vectors():
    generator = np.random.default_rng(3)
    centres = generator.normal(size=(8, DIMENSIONS))
    rows = centres[np.arange(3000) % 8] + 0.7 * generator.normal(size=(3000, DIMENSIONS))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module", params=["with", "without"])
def connection(request):
    name = f"python_{request.param}_extension"
    with psycopg.connect(dbname="postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}")
        admin.execute(f"CREATE DATABASE {name}")
        with psycopg.connect(dbname=name, autocommit=True) as connection:
            extension = "hinted_exemplar" if request.param == "with" else "vector"
            connection.execute(f"CREATE EXTENSION {extension} CASCADE")
            connection.execute(f'CREATE TABLE "My images" (id bigint PRIMARY KEY, "The vector" vector({DIMENSIONS}))')
            with connection.cursor().copy('COPY "My images" FROM STDIN') as copy:
                for i, row in enumerate(vectors()):
                    copy.write_row((i, hinted_exemplar.literals.text(row)))
            connection.execute('ANALYZE "My images"')
            yield connection
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def search(connection, **arguments):
    return hinted_exemplar.search(connection, '"My images"', embedding="The vector", **arguments)


def test_like_finds_its_own_kind(connection):
    rows = search(connection, like=[8, 16, 24], k=50)
    assert len(rows) == 50 and isinstance(rows[0].key, int)
    assert np.mean([row.key % 8 == 0 for row in rows]) > 0.8
    assert [row.distance for row in rows] == sorted(row.distance for row in rows)
    assert rows[0].margin > rows[-1].margin


def test_the_same_call_gives_the_same_rows(connection):
    assert list(search(connection, like=[5], seed=2)) == list(search(connection, like=[5], seed=2))


def test_both_ways_agree(connection):
    auto = search(connection, like=[3, 11], hints=vectors()[19], k=20)
    client = search(connection, like=[3, 11], hints=vectors()[19], k=20, extension=False)
    assert client.by == "client" and client.fit.converged
    assert len({row.key for row in auto} & {row.key for row in client}) >= 14


def test_unlike_and_errors(connection):
    rows = search(connection, like=[1], unlike=[2, 10], k=5)
    assert all(row.key % 8 != 2 for row in rows)
    with pytest.raises(LookupError, match="has the key 999999"):
        search(connection, like=[999999])
    with pytest.raises((psycopg.errors.InvalidName, psycopg.errors.UndefinedTable)):
        hinted_exemplar.search(connection, 'nothing"; DROP TABLE x; --', like=[1])


def test_the_fit_has_the_bits_of_sql(connection):
    if not connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'hinted_exemplar'").fetchone():
        pytest.skip("without the extension there is nothing to compare with")
    rows = vectors()
    text = [hinted_exemplar.literals.text(row) for row in rows]
    for one in range(5):
        sql = connection.execute(
            "SELECT exemplar_svm(%s::vector[], %s::vector[], hints => %s::vector[], counter_exemplars => %s::vector[])::text",
            (text[one : one + 2], text[100:600], text[one + 8 : one + 9], text[20:22]),
        ).fetchone()[0]
        here = hinted_exemplar.fit(rows[one : one + 2], rows[100:600], hints=rows[one + 8], counter_exemplars=rows[20:22])
        there = np.array(sql[1:-1].split(","), np.float32)
        assert there.tobytes() == here.weights.tobytes()


def test_sqlalchemy_orders_by_one_expression(connection):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    if not connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'hinted_exemplar'").fetchone():
        pytest.skip("needs the extension")
    from hinted_exemplar.sqlalchemy import Vector, distance

    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dbname=connection.info.dbname))
    table = sqlalchemy.table("My images", sqlalchemy.column("id"), sqlalchemy.column("The vector", Vector()))
    embedding = table.c["The vector"]
    rows = vectors()
    with engine.connect() as session:
        query = sqlalchemy.select(table.c.id).order_by(
            distance(embedding, exemplars=[rows[8], rows[16].tolist()], sample_size=500)
        )
        found = session.execute(query.limit(20)).scalars().all()
    assert np.mean([key % 8 == 0 for key in found]) > 0.8
    engine.dispose()


def test_django_orders_by_one_expression(connection):
    django = pytest.importorskip("django")
    if not connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'hinted_exemplar'").fetchone():
        pytest.skip("needs the extension")
    from django.conf import settings

    if not settings.configured:
        database = {"ENGINE": "django.db.backends.postgresql", "NAME": connection.info.dbname}
        settings.configure(DATABASES={"default": database}, INSTALLED_APPS=[])
        django.setup()
    from django.db import connections, models

    from hinted_exemplar.django import HintedDistance

    class Image(models.Model):
        id = models.BigIntegerField(primary_key=True)
        embedding = models.TextField(db_column="The vector")

        class Meta:
            app_label = "tests"
            db_table = "My images"

    rows = vectors()
    ordered = Image.objects.order_by(HintedDistance("embedding", exemplars=[rows[8], rows[16].tolist()], sample_size=500))
    found = list(ordered.values_list("id", flat=True)[:20])
    assert np.mean([key % 8 == 0 for key in found]) > 0.8
    connections.close_all()


def test_a_reason_counts_and_false_negatives_are_keys(connection):
    rows = vectors()
    bare = search(connection, like=[1], unlike=[2], k=30)
    reasoned = search(connection, like=[1], unlike=[2], reasons=[rows[10]], k=30)
    assert list(bare) != list(reasoned) and np.mean([row.key % 8 == 1 for row in reasoned[:10]]) > 0.8
    with pytest.raises((psycopg.DataError, ValueError)):
        search(connection, like=[1], unlike=[2], reasons=[rows[10], None])
    asked = {"like": range(1, 81, 8), "unlike": [2], "k": 30}
    for found in (search(connection, **asked), search(connection, **asked, extension=False)):
        assert found.fit.converged and len(found.fit.exemplar_margins) == 10 and len(found.fit.counter_exemplar_margins) == 1
        assert 0 < len(found.fit.false_negatives) <= found.fit.false_negative_count
        assert np.mean([key % 8 == 1 for key in found.fit.false_negatives]) > 0.7


def test_keys_of_any_type(connection):
    connection.execute(
        'DROP TABLE IF EXISTS named; CREATE TABLE named AS SELECT gen_random_uuid() AS id, "The vector" AS e FROM "My images"'
    )
    for extension in (None, False):
        one = connection.execute("SELECT id FROM named LIMIT 1").fetchone()[0]
        for like in (one, str(one)):
            found = hinted_exemplar.search(connection, "named", embedding="e", like=[like], k=3, extension=extension)
            assert found[0].key == one


def test_conflicts_name_keys(connection):
    for extension in (None, False):
        found = search(connection, like=[8, 4], exemplars=vectors()[16], unlike=[24], hints=vectors()[32], extension=extension)
        said = " ".join(found.fit.conflicts)
        assert "24 is nearer to the hint than the exemplars" in said and "exemplar 1 and 4 have nothing in common" in said


def test_feedback_by_clicking(connection):
    pytest.importorskip("ipywidgets")
    from hinted_exemplar.feedback import Feedback

    reasons = {"the sort of 10": vectors()[10]}
    feedback = Feedback(
        connection, '"My images"', embedding="The vector", like=[1], reasons=reasons, show=lambda key: f"<row {key}>"
    )
    said, judged, tiles = feedback.widget.children
    start = list(feedback.rows)

    def button(box, text):
        return next(child for child in walk(box) if getattr(child, "description", "") == text)

    def walk(box):
        yield box
        for child in getattr(box, "children", ()):
            yield from walk(child)

    assert len(tiles.children) == 12 and "&lt;row 1&gt;" in tiles.children[0].children[0].value
    wanted = feedback.rows[1].key
    button(tiles.children[1], "more").click()
    assert feedback.like == [1, wanted] and list(feedback.rows) != start
    rejected = feedback.rows[2].key
    button(tiles.children[2], "not").click()
    assert feedback.unlike == {rejected: None} and rejected not in [row.key for row in feedback.rows]
    bare = list(feedback.rows)
    next(child for child in walk(judged) if hasattr(child, "options")).value = "the sort of 10"
    assert feedback.unlike == {rejected: "the sort of 10"} and list(feedback.rows) != bare
    button(judged, "undo").click()
    assert feedback.unlike == {rejected: None} and list(feedback.rows) == bare
    button(judged.children[2], "forget").click()
    assert feedback.unlike == {} and feedback.like == [1, wanted]
    feedback.reject(1)
    feedback.reject(wanted)
    assert "an exemplar" in said.value and "a hint" in said.value
    feedback.undo()
    shown = feedback._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in shown and "&lt;row" in shown["text/html"]
