"""What the cases share: a database, statements that work for long enough to be met in the middle, and checks that count."""

import os
import re
import threading

import libpq

# A message that shows the inside of the library to a client.
RUST = re.compile(
    r"panicked|out of bounds|out of range for slice|\.rs:\d|unwrap\(\)|RefCell|called `|overflow(ed)? when|attempt to |core::|alloc::|thread '|capacity overflow|stack backtrace"
)

_DATA = """
CREATE EXTENSION hinted_exemplar CASCADE;
CREATE FUNCTION v(d int, seed int) RETURNS vector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT array_agg(sin(i * 12.9898 + seed * 78.233 + (seed % 7) * i)::float4 ORDER BY i)::vector FROM generate_series(1, d) i $$;
CREATE TABLE items (id int, tenant int, embedding vector(64));
INSERT INTO items SELECT i, i % 10, v(64, i) FROM generate_series(1, 12000) i;
CREATE INDEX ON items USING hnsw (embedding vector_ip_ops) WITH (m = 8, ef_construction = 32);
CREATE TABLE wide (id int, embedding vector(768));
INSERT INTO wide SELECT i, v(768, i) FROM generate_series(1, 4000) i;
CREATE INDEX ON wide (md5(id::text));
CREATE TABLE parted (id int, embedding vector(8)) PARTITION BY HASH (id);
CREATE TABLE part0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT i, v(8, i) FROM generate_series(1, 3000) i;
CREATE VIEW viewed AS SELECT * FROM items WHERE id % 2 = 0;
ANALYZE;
"""

# Each is one statement with one value, an answer as text.
STATEMENTS = [
    "SELECT hinted_exemplar('items', 'embedding', exemplar => v(64, 5), hint => v(64, 9))",
    "SELECT hinted_exemplar('wide', 'embedding', exemplar => v(768, 5), sample_size => 3000, seed => 4)",
    "SELECT hinted_exemplar('wide', 'embedding', exemplar => v(768, 5), hint => v(768, 6), expand => 20)",
    "SELECT hinted_exemplar('viewed', 'embedding', exemplar => v(64, 5), loss => 'logistic')",
    "SELECT hinted_exemplar('parted', 'embedding', exemplar => v(8, 5), hint => v(8, 6), sample_size => 100000)",
    "SELECT md5((hinted_exemplar_fit('items', 'embedding', exemplars => (SELECT array_agg(embedding ORDER BY id) FROM items WHERE id < 400), "
    "counter_exemplars => (SELECT array_agg(embedding ORDER BY id) FROM items WHERE id BETWEEN 400 AND 800))).weights::text)",
    "SELECT string_agg(ctid::text, ' ') FROM hinted_exemplar_search('items', 'embedding', exemplar => v(64, 5), hint => v(64, 9), filter => 'tenant < 5')",
    "SELECT exemplar_svm_agg(embedding, NULLIF(id % 5, 4) < 2 ORDER BY id) FROM items WHERE id < 4000",
    # Comparing each with each would take seconds, in a loop that nothing ends.
    "SELECT exemplar_svm_agg(embedding, id % 2 = 0 ORDER BY id) FROM items",
    "SELECT exemplar_svm((SELECT array_agg(embedding ORDER BY id) FROM wide WHERE id < 50), (SELECT array_agg(embedding ORDER BY id) FROM wide WHERE id > 50))",
    "SELECT average_precision(id % 7 = 0 ORDER BY embedding <#> hinted_exemplar('items', 'embedding', exemplar => v(64, 5))) FROM items",
]


class Checks:
    """Counts what holds and what does not. `rounds` multiplies the work of each case."""

    def __init__(self, rounds):
        self.rounds, self.passed, self.failed = rounds, 0, 0

    def times(self, count):
        """How often something is done that is done `count` times by default."""
        return max(1, int(count * self.rounds))

    def that(self, what, holds):
        """Counts a check and prints it."""
        if holds:
            self.passed += 1
        else:
            self.failed += 1
        print(f"{'ok     ' if holds else 'FAILED '} {what}", flush=True)
        return holds


def fill(connection):
    """The tables that cases read; the database is empty."""
    connection.query(_DATA)
    # A server that does not wait for its log may lose in a crash what was not written.
    connection.query("CHECKPOINT")


def answers(connection):
    """What every statement answers where nothing disturbs it."""
    return {sql: connection.value(sql) for sql in STATEMENTS}


def fault(message):
    """Whether an error is one that no user should meet, whatever was done."""
    return message.state.startswith("XX") or bool(RUST.search(str(message)))


def cpu_seconds(pid):
    """What a process has worked, where the system tells; else None."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Workers:
    """Functions that run beside a case, each with a session of its own, until the case is over. What they raise is kept."""

    def __init__(self, *functions):
        self.over, self.raised = threading.Event(), []
        self._threads = [threading.Thread(target=self._run, args=(function,), daemon=True) for function in functions]

    def _run(self, function):
        try:
            connection = libpq.Connection()
            while not self.over.is_set():
                function(connection)
            connection.close()
        except Exception as error:
            self.raised.append(f"{type(error).__name__}: {error}")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self._threads:
            thread.join(120)
