"""What the clients' tests share: the data, the right answer and counted checks. Run by tests/clients.sh."""

import atexit
import os
import random

HINT = [0.7, 0.6, 0.1, 0.1]
ROWS = [[0.9, 0.1, 0.3, 0.1], [0.8, 0.5, 0.3, 0.1], [0.1, 0.1, 0.9, 0.2], [0.2, 0.8, 0.5, 0.1]]
# The search as psql would send it, all values written out.
SEARCH = f"""
    SELECT id, path FROM images
    ORDER BY embedding <#> (SELECT hinted_exemplar('images', 'embedding', exemplar => (SELECT embedding FROM images WHERE id = 7),
                                                   hint => '{HINT}'))
    LIMIT 5"""

passed = failed = 0


def texts() -> list[str]:
    """Notes of 240 things, ten of each kind."""
    things, colours = ["bicycle", "lamp", "chair", "kettle", "guitar", "boat"], ["red", "green", "blue", "grey"]
    return [f"{colour} {thing} number {i}" for i, (thing, colour) in enumerate((t, c) for t in things for c in colours for _ in range(10))]


def words(text: str) -> list[float]:
    """A unit vector; texts with words in common lie near each other."""
    vector = [0.2] * 32
    for word in text.lower().split():
        numbers = random.Random(word)
        vector = [x + numbers.gauss(0, 0.3 if word.isdigit() else 1) for x in vector]
    length = sum(x * x for x in vector) ** 0.5
    return [x / length for x in vector]


def check(what: str, good: bool) -> None:
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print("ok     " if good else "FAILED ", what, flush=True)


def first_error(client: str, what: object) -> None:
    """What a newcomer of this client meets; tests/clients.sh looks whether the manual says just that."""
    print(f"first error\t{client}\t{str(what).splitlines()[0]}", flush=True)


def expected(rows: list) -> list:
    """The answer that every client must give, once it is looked at itself."""
    assert len(rows) == 5 and rows[0][0] == 7, rows
    return [tuple(row) for row in rows]


@atexit.register
def finish() -> None:
    print(f"{passed} passed, {failed} failed", flush=True)
    if failed:
        os._exit(1)
