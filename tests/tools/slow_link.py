"""A link to a server that takes its time: a proxy between two Unix sockets that hands everything on later.

usage: slow_link.py LISTEN TO MILLISECONDS COUNT
LISTEN and TO are sockets, MILLISECONDS is the way there and back, and the file COUNT holds how often the client has spoken after the server
had: how many round trips it has waited for.
"""

import asyncio
import sys
from collections import deque

listen, to, milliseconds, count = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
turns = 0


class Link:
    """One connection: who spoke last, and what is on its way."""

    def __init__(self):
        self.client_spoke = False

    def spoke(self, is_client):
        global turns
        if is_client and not self.client_spoke:
            turns += 1
            with open(count, "w", encoding="ascii") as file:
                file.write(str(turns))
        self.client_spoke = is_client


async def hand_on(link, is_client, reader, writer):
    """Hands each piece on half a round trip after it came, without holding up what comes behind it."""
    loop, pieces, arrived = asyncio.get_running_loop(), deque(), asyncio.Event()

    async def deliver():
        while True:
            while not pieces:
                arrived.clear()
                await arrived.wait()
            due, data = pieces.popleft()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()

    delivery = loop.create_task(deliver())
    data = b"-"
    while data:
        try:
            data = await reader.read(1 << 18)
        except ConnectionError:
            data = b""
        if data:
            link.spoke(is_client)
        pieces.append((loop.time() + milliseconds / 2000, data))
        arrived.set()
    try:
        await delivery
    except ConnectionError:
        pass


async def connected(reader, writer):
    link = Link()
    from_server, to_server = await asyncio.open_unix_connection(to)
    await asyncio.gather(
        hand_on(link, True, reader, to_server), hand_on(link, False, from_server, writer), return_exceptions=True
    )


async def main():
    with open(count, "w", encoding="ascii") as file:
        file.write("0")
    server = await asyncio.start_unix_server(connected, listen)
    async with server:
        await server.serve_forever()


asyncio.run(main())
