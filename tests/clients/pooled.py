"""PgBouncer in transaction mode, with psycopg 3 and asyncpg: a statement's server is not that of the statement before."""

import asyncio
import os

import asyncpg
import common
import psycopg

SEARCH = common.SEARCH
keeps_prepared = bool(os.environ["KEEPS_PREPARED"])
title = f"PgBouncer in transaction mode, prepared statements {'kept' if keeps_prepared else 'not kept'}"

# [docs
# psycopg 3: no prepared statements, unless PgBouncer is 1.21 or newer and max_prepared_statements is set.
with psycopg.connect(host=os.environ["POOL"], port=6432, prepare_threshold=None) as connection:
    rows = connection.execute(SEARCH).fetchall()
# docs]
expected = common.expected(rows)


def connect(threshold):
    """Six connections, which two servers share."""
    return [psycopg.connect(host=os.environ["POOL"], port=6432, prepare_threshold=threshold, autocommit=True) for _ in range(6)]


connections = connect(0 if keeps_prepared else None)
found = [connection.execute(SEARCH).fetchall() for _ in range(5) for connection in connections]
common.check(f"{title}: six clients on two servers", all(rows == expected for rows in found))
servers = {connection.execute("SELECT pg_backend_pid()").fetchone()[0] for _ in range(5) for connection in connections}
common.check("which they share", len(servers) <= 2)
for connection in connections:
    connection.close()


async def with_asyncpg(**options):
    connections = [await asyncpg.connect(host=os.environ["POOL"], port=6432, **options) for _ in range(4)]
    try:
        return [[tuple(row) for row in await connection.fetch(SEARCH)] for _ in range(6) for connection in connections]
    finally:
        for connection in connections:
            connection.terminate()


async def without_cache():
    # [docs
    # asyncpg prepares every statement and must be told not to keep them.
    connection = await asyncpg.connect(host=os.environ["POOL"], port=6432, statement_cache_size=0)
    # docs]
    rows = [[tuple(row) for row in await connection.fetch(SEARCH)] for _ in range(6)]
    await connection.close()
    return rows


common.check(f"{title}: asyncpg without its cache", all(rows == expected for rows in asyncio.run(without_cache())))
if keeps_prepared:
    common.check(f"{title}: asyncpg as it is", all(rows == expected for rows in asyncio.run(with_asyncpg())))
else:
    # What a newcomer meets, whose driver prepares.
    try:
        for _ in range(6):
            for connection in connect(0):
                connection.execute(SEARCH).fetchall()
    except psycopg.Error as error:
        common.first_error("PgBouncer", error.diag.message_primary)
