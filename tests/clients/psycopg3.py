"""psycopg 3: text, binary, prepared and pipelined."""

import common

# [docs
import psycopg

SEARCH = """
    SELECT id, path
    FROM   images
    ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                            exemplar => (SELECT embedding FROM images WHERE id = %(id)s),
                            hint     => %(hint)s::vector)
    LIMIT  5
"""


def search(connection, image_id, hint):
    """hint: the list of numbers that your text model gives."""
    return connection.execute(SEARCH, {"id": image_id, "hint": str(list(hint))}).fetchall()
# docs]


REJECTING = """
    SELECT vector_norm(hinted_exemplar('images', 'embedding', sample_size => %(size)s, reasons => %(reasons)s::text[]::vector[],
                                       exemplars => %(wanted)s::text[]::vector[], counter_exemplars => %(unwanted)s::text[]::vector[]))
"""

with psycopg.connect(autocommit=True) as connection:
    expected = common.expected(connection.execute(common.SEARCH).fetchall())
    common.check("psycopg 3, text", search(connection, 7, common.HINT) == expected)

    # [docs
    # A vector as pgvector's Python package sends it, in binary.
    import numpy
    from pgvector.psycopg import register_vector

    register_vector(connection)
    hint = numpy.array(common.HINT, dtype=numpy.float32)
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(SEARCH, {"id": 7, "hint": hint}).fetchall()
    # docs]
    common.check("psycopg 3, binary", rows == expected)

    # The plan that holds for all values has the same fit.
    connection.execute("SET plan_cache_mode = force_generic_plan")
    rows = [connection.execute(SEARCH, {"id": 7, "hint": hint}, prepare=True).fetchall() for _ in range(8)]
    prepared = connection.execute("SELECT sum(generic_plans) FROM pg_prepared_statements WHERE statement LIKE '%%hinted%%'", prepare=False).fetchone()[0]
    common.check("psycopg 3, prepared to the generic plan", all(found == expected for found in rows) and prepared >= 7)

    with connection.pipeline():
        cursors = [connection.execute(SEARCH, {"id": 7, "hint": hint}) for _ in range(3)]
    common.check("psycopg 3, pipelined", all(cursor.fetchall() == expected for cursor in cursors))

    texts = [str(vector) for vector in common.ROWS]
    arguments = {"wanted": texts[:2], "unwanted": texts[2:4], "reasons": [str(common.HINT), None], "size": 200}
    norm = connection.execute(REJECTING, arguments).fetchone()[0]
    common.check("psycopg 3, arrays of vectors with a null among the reasons", abs(norm - 1) < 1e-5)

    # [docs
    try:
        search(connection, 7, [0.5, 0.5])
    except psycopg.errors.DataException as error:  # the SQLSTATEs of class 22
        message = error.diag.message_primary
    # docs]
    common.check("psycopg 3, an error by its SQLSTATE", "dimensions" in message)
    try:
        connection.execute(SEARCH, {"id": 7, "hint": common.HINT})
        refused = ""
    except psycopg.Error as error:
        refused = error.sqlstate
    # pgvector casts an array of numbers, so that a list works too where the parameter is cast.
    common.check("psycopg 3, a list of numbers", refused == "")

with psycopg.connect(autocommit=True) as connection:
    try:
        connection.execute(SEARCH.replace("::vector", ""), {"id": 7, "hint": common.HINT})
    except psycopg.Error as error:
        common.first_error("psycopg 3", error.diag.message_primary)
