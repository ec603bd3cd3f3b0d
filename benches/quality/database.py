"""The extension, reached through psql: a data set becomes tables, a batch of searches one SQL statement."""

import os
import pathlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

JOBS = min(2, os.cpu_count() or 1)
PSQL = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"
# The sum for servers that take no extension.
SUM = pathlib.Path(__file__).parents[2] / "sql-only" / "hinted_sum.sql"
# Neutral texts are kept among the texts, below the classes' own.
NEUTRAL_IDS = {"generic": -1, "own": -2}


@dataclass(frozen=True)
class Ask:
    """The rows and texts of one search, by their ids; a reason may be None."""

    exemplars: tuple = ()
    hints: tuple = ()
    counter_exemplars: tuple = ()
    counter_hints: tuple = ()
    reasons: tuple = ()
    negatives: tuple = ()

    TABLES = {
        "exemplars": "rows",
        "hints": "texts",
        "counter_exemplars": "rows",
        "counter_hints": "texts",
        "reasons": "texts",
        "negatives": "rows",
    }

    def line(self, number, seed):
        return "\t".join([str(number), str(seed), *(array(getattr(self, name)) for name in self.TABLES)])


def array(ids):
    return "{" + ",".join("NULL" if i is None else str(i) for i in ids) + "}" if ids else "\\N"


def vectors(name, table):
    """An array of vectors in the order of their ids."""
    return (
        f"(SELECT array_agg(v.embedding ORDER BY o) FROM unnest(a.{name}) WITH ORDINALITY u (id, o)"
        f" LEFT JOIN {table} v USING (id))"
    )


def record(dimensions):
    """A row (id int, embedding vector) of COPY BINARY."""
    return np.dtype(
        [("fields", ">i2"), ("id_size", ">i4"), ("id", ">i4"), ("size", ">i4")]
        + [("dimensions", ">i2"), ("unused", ">i2"), ("embedding", ">f4", (dimensions,))]
    )


def encode(ids, embeddings):
    dimensions = embeddings.shape[1]
    rows = np.zeros(len(ids), record(dimensions))
    rows["fields"], rows["id_size"], rows["size"], rows["dimensions"] = 2, 4, 4 + 4 * dimensions, dimensions
    rows["id"], rows["embedding"] = ids, embeddings
    return COPY_HEADER + rows.tobytes() + COPY_END


def decode(answer, dimensions):
    """The embeddings of a COPY BINARY, with their ids."""
    rows = np.frombuffer(answer[len(COPY_HEADER) : -len(COPY_END)], record(dimensions))
    return rows["id"].astype(int), rows["embedding"].astype(np.float32)


def psql(sql, data=None):
    done = subprocess.run([*PSQL, "-c", sql], input=data, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{done.stderr.decode().strip()}\nwhile running: {sql[:2000]}")
    for warning in sorted({line for line in done.stderr.decode().splitlines() if line.startswith("WARNING")}):
        progress(warning)
    return done.stdout


def literal(value):
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def arguments(names, neutral, options):
    given = [f"{name} => {vectors(name, Ask.TABLES[name])}" for name in names]
    if neutral:
        text = f"(SELECT embedding FROM texts WHERE id = {NEUTRAL_IDS[neutral]})"
        given.append(f"neutral_hints => ARRAY[{text}]")
    return ", ".join([*given, *(f"{name} => {literal(value)}" for name, value in options.items())])


class Database:
    """One data set: tables `rows` (all), `items` (those searched), `texts`, and `asks` for a batch of searches."""

    def __init__(self, data):
        self.data = data
        self.dimensions = data.rows.shape[1]
        psql("CREATE EXTENSION IF NOT EXISTS hinted_exemplar CASCADE")
        psql(SUM.read_text())
        psql(
            "DROP TABLE IF EXISTS rows, texts, items, asks;"
            "CREATE TABLE rows (id int PRIMARY KEY, embedding vector);"
            "CREATE TABLE texts (id int PRIMARY KEY, embedding vector);"
            f"CREATE TABLE asks (id int, seed int, {', '.join(f'{name} int[]' for name in Ask.TABLES)})"
        )
        hinted = np.flatnonzero(data.hinted)
        ids = [*hinted, *(NEUTRAL_IDS[name] for name in data.neutrals)]
        self.copy("rows", np.arange(len(data.rows)), data.rows)
        self.copy("texts", ids, np.vstack([data.hints[hinted], *data.neutrals.values()]))
        self.table("items", data.database)
        psql("ANALYZE rows; ANALYZE texts")

    def copy(self, table, ids, embeddings):
        psql(f"COPY {table} FROM STDIN (FORMAT binary)", encode(ids, embeddings))

    def table(self, name, ids):
        """A table of some of the rows, to be searched."""
        psql(f"DROP TABLE IF EXISTS {name}; CREATE TABLE {name} (id int PRIMARY KEY, embedding vector)")
        self.copy(name, ids, self.data.rows[ids])
        psql(f"ANALYZE {name}")

    def ask(self, asks, seeds=None):
        """Fills the table of searches."""
        seeds = list(range(len(asks)) if seeds is None else seeds)
        lines = "\n".join(ask.line(number, seed) for number, (ask, seed) in enumerate(zip(asks, seeds))) + "\n"
        psql("TRUNCATE asks")
        psql("COPY asks FROM STDIN", lines.encode())

    def fit(self, asks, what, source="items", neutral=None, seeds=None, **options):
        """The search vector of each ask, by one call of hinted_exemplar; the seed of its sample is its number."""
        since = time.monotonic()
        self.ask(asks, seeds)
        names = [name for name in Ask.TABLES if name != "negatives"]
        call = f"hinted_exemplar('{source}', 'embedding', {arguments(names, neutral, options)}, seed => a.seed)"
        return self.answers(call, len(asks), what, since)

    def sum(self, asks, what, seeds=None):
        """The same by hinted_sum, without the extension; it takes one hint and no reasons."""
        since = time.monotonic()
        self.ask(asks, seeds)
        given = [f"{name} => {vectors(name, Ask.TABLES[name])}" for name in ("exemplars", "counter_exemplars")]
        given.append("hint => (SELECT embedding FROM texts WHERE id = a.hints[1])")
        call = f"hinted_sum('items', 'embedding', {', '.join(given)}, seed => a.seed)"
        return self.answers(call, len(asks), what, since)

    def planes(self, asks, what, shares=None, filtered=False, **options):
        """w, scale and bias of each ask; where `filtered`, its negatives are the rows that the source lacks."""
        since = time.monotonic()
        self.ask(asks)
        given = arguments([name for name in Ask.TABLES if name != "negatives"], None, options)
        if filtered:
            given += ", source_filter => format('id <> ALL (%L)', coalesce(a.negatives, '{}'))"
        if shares is not None:
            given += f", expected_share => ({literal(array(list(map(float, shares))))}::float8[])[a.id + 1]"
        # One vector carries all three.
        call = (
            "(SELECT (f.weights::real[] || ARRAY[f.scale, f.bias]::real[])::vector"
            f" FROM hinted_exemplar_fit('items', 'embedding', {given}, seed => a.seed) f)"
        )
        found = self.answers(call, len(asks), what, since, self.dimensions + 2)
        return found[:, :-2], found[:, -2].astype(float), found[:, -1].astype(float)

    def fit_given(self, asks, what, neutral=None, **options):
        """The same by exemplar_svm, against the negatives of each ask."""
        since = time.monotonic()
        psql("TRUNCATE asks")
        psql("COPY asks FROM STDIN", ("\n".join(ask.line(i, 0) for i, ask in enumerate(asks)) + "\n").encode())
        names = [name for name in Ask.TABLES if any(getattr(ask, name) for ask in asks)]
        return self.answers(f"exemplar_svm({arguments(names, neutral, options)})", len(asks), what, since)

    def answers(self, call, count, what, since, dimensions=None):
        """The vectors that `call` gives for the asks, in their order."""
        dimensions = dimensions or self.dimensions
        select = f"SELECT a.id, f.w FROM asks a CROSS JOIN LATERAL (SELECT {call} AS w) f WHERE mod(a.id, {JOBS}) = "
        with ThreadPoolExecutor(JOBS) as pool:
            parts = list(pool.map(lambda j: psql(f"COPY ({select}{j}) TO STDOUT (FORMAT binary)"), range(JOBS)))
        w = np.empty((count, dimensions), np.float32)
        for part in parts:
            ids, embeddings = decode(part, dimensions)
            w[ids] = embeddings
        progress(f"{self.data.name}: {what}: {count} fits in {time.monotonic() - since:.1f} s")
        return w

    def average_precision(self, w, label):
        """The aggregate's answer for one search vector."""
        relevant = self.data.database[self.data.database_labels == label]
        text = "[" + ",".join(map(repr, w.astype(float).tolist())) + "]"
        sql = f"SELECT average_precision(id = ANY ({literal(array(relevant.tolist()))}::int[])"
        return float(psql(f"{sql} ORDER BY embedding <#> {literal(text)}, id) FROM items"))


def progress(line):
    print(f"    {line}", file=sys.stderr, flush=True)
