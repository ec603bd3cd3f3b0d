"""PgBouncer in transaction mode, with psycopg 3 and asyncpg: a statement's server is not that of the statement before."""

import asyncio
import os

import asyncpg
import common
import psycopg

SEARCH = common.SEARCH

# [docs
# psycopg 3: no prepared statements, unless PgBouncer is 1.21 or newer and max_prepared_statements is set.
with psycopg.connect(host=os.environ["POOL"], port=6432, prepare_threshold=None) as connection:
    rows = connection.execute(SEARCH).fetchall()
# docs]
expected = common.expected(rows)
connections = [psycopg.connect(host=os.environ["POOL"], port=6432, prepare_threshold=None, autocommit=True) for _ in range(6)]
found = [connection.execute(SEARCH).fetchall() for _ in range(5) for connection in connections]
common.check("PgBouncer in transaction mode, six clients on two servers", all(rows == expected for rows in found))
servers = {connection.execute("SELECT pg_backend_pid()").fetchone()[0] for _ in range(5) for connection in connections}
common.check("which they share", len(servers) <= 2)


async def with_asyncpg():
    # [docs
    # asyncpg prepares every statement and must be told not to keep them.
    connection = await asyncpg.connect(host=os.environ["POOL"], port=6432, statement_cache_size=0)
    # docs]
    rows = [[tuple(row) for row in await connection.fetch(SEARCH)] for _ in range(6)]
    await connection.close()
    return rows


common.check("PgBouncer in transaction mode, asyncpg", all(rows == expected for rows in asyncio.run(with_asyncpg())))
