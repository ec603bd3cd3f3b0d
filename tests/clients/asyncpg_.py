"""asyncpg: vectors by a codec, arrays of them, errors."""

import asyncio

import common

# [docs
import asyncpg

SEARCH = """
    SELECT id, path
    FROM   images
    ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                            exemplar => (SELECT embedding FROM images WHERE id = $1),
                            hint     => $2)
    LIMIT  5
"""


async def prepare(connection):
    """For each new connection, as init= of a pool: lists of numbers are vectors."""
    await connection.set_type_codec(
        "vector", schema="public", format="text",
        encoder=lambda numbers: str(list(numbers)), decoder=lambda text: [float(number) for number in text[1:-1].split(",")],
    )


async def search(connection, image_id, hint):
    return await connection.fetch(SEARCH, image_id, hint)
# docs]


async def main():
    connection = await asyncpg.connect()
    await prepare(connection)
    expected = common.expected(await connection.fetch(common.SEARCH))
    rows = await search(connection, 7, common.HINT)
    common.check("asyncpg", [tuple(row) for row in rows] == expected)
    for _ in range(8):
        rows = await search(connection, 7, common.HINT)
    common.check("asyncpg, prepared", [tuple(row) for row in rows] == expected)
    # [docs
    # An array of vectors as texts: asyncpg would take lists in a list for a matrix.
    w = await connection.fetchval(
        """SELECT hinted_exemplar('images', 'embedding', exemplars => $1::text[]::vector[],
                                  counter_exemplars => $2::text[]::vector[], reasons => $3::text[]::vector[])""",
        [str(vector) for vector in common.ROWS[:2]], [str(vector) for vector in common.ROWS[2:]], [str(common.HINT), None],
    )
    # docs]
    common.check("asyncpg, arrays of vectors with a null among the reasons", abs(sum(x * x for x in w) - 1) < 1e-5)
    # [docs
    try:
        await search(connection, 7, [0.5, 0.5])
    except asyncpg.DataError as error:  # the SQLSTATEs of class 22
        message = str(error)
    # docs]
    common.check("asyncpg, an error by its SQLSTATE", "dimensions" in message)
    await connection.close()
    connection = await asyncpg.connect()
    try:
        await search(connection, 7, common.HINT)
    except asyncpg.DataError as error:
        common.first_error("asyncpg", error)
    await connection.close()


asyncio.run(main())
