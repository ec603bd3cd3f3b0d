"""Search a Postgres table from Python, by the extension where it is there and by a sample and a fit here where it is not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import PARAMETERS, Fit, fit
from .literals import text

VECTORS = ("hints", "exemplars", "counter_exemplars", "counter_hints", "reasons", "neutral_hints")
NOT_COLUMNS = ("weights", "negatives", "false_negatives", "false_negative_count")
# Of SQL's exemplar_fit, what a Fit has by the same name.
COLUMNS = tuple(field.name for field in fields(Fit) if field.name not in NOT_COLUMNS)
# More places than rows are asked for: some have none.
PLACES_PER_ROW = 2.0


@dataclass(frozen=True)
class Row:
    """A row that was found."""

    key: Any
    """The value of the key column."""
    distance: float
    """The negative inner product of the row and the weight vector: smaller is nearer."""
    margin: float | None
    """Above 0 on the wanted side; None without an exemplar."""


class Rows(list):
    """Rows in order of distance; ``fit`` says how the search was understood, ``by`` who fitted."""

    fit: Fit | None = None
    by: str = ""

    def to_frame(self) -> Any:
        """A pandas DataFrame with the columns key, distance and margin."""
        import pandas

        return pandas.DataFrame([(row.key, row.distance, row.margin) for row in self], columns=["key", "distance", "margin"])


def search(
    connection: Any,
    table: str,
    *,
    embedding: str = "embedding",
    key: str = "id",
    k: int = 20,
    like: Sequence[Any] = (),
    unlike: Sequence[Any] = (),
    exemplars: npt.ArrayLike | None = None,
    hints: npt.ArrayLike | None = None,
    counter_exemplars: npt.ArrayLike | None = None,
    counter_hints: npt.ArrayLike | None = None,
    reasons: Sequence[npt.ArrayLike | None] | None = None,
    neutral_hints: npt.ArrayLike | None = None,
    sample_size: int = 1000,
    seed: int = 0,
    extension: bool | None = None,
    **parameters: Any,
) -> Rows:
    """The k rows of ``table`` that are most like what is asked for.

    Parameters
    ----------
    connection
        A psycopg connection, or an SQLAlchemy engine or connection over psycopg.
    table, embedding, key
        Names as SQL reads them: ``schema.table``, its column of vectors, its key.
    like, unlike
        Keys of rows that are wanted and that are not.
    exemplars, hints, counter_exemplars, counter_hints, neutral_hints
        Vectors, as in :func:`hinted_exemplar.fit`.
    reasons
        For each of counter_exemplars, and then of ``unlike``, the embedding of why it is not wanted, or None.
    sample_size, seed
        How many rows to draw as negatives, and which.
    extension
        True needs the extension, False does without it; None uses it where it is there.
    **parameters
        As in :func:`hinted_exemplar.fit`.
    """
    for name in parameters:
        if name not in PARAMETERS:
            raise TypeError(f"search() got an unexpected keyword argument {name!r}")
    with _cursor(connection) as cursor:
        names = _Names.of(cursor, table, embedding, key)
        vectors = {
            "hints": hints,
            "exemplars": _with(exemplars, names.vectors_of(cursor, like)),
            "counter_exemplars": _with(counter_exemplars, names.vectors_of(cursor, unlike)),
            "counter_hints": counter_hints,
            "reasons": reasons,
            "neutral_hints": neutral_hints,
        }
        has = _has_extension(cursor) if extension is not False else None
        if extension and not has:
            raise LookupError("the extension hinted_exemplar is not installed in this database")
        if has:
            rows = _by_extension(cursor, has, names, vectors, k, sample_size, seed, parameters)
        else:
            rows = _by_sample(cursor, names, vectors, k, sample_size, seed, parameters)
    keys = {"": _keys(exemplars, like), "counter": _keys(counter_exemplars, unlike)}
    rows.fit = replace(rows.fit, conflicts=[_by_key(conflict, keys) for conflict in rows.fit.conflicts])
    return rows


def _with(given: npt.ArrayLike | None, more: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
    parts = [np.atleast_2d(np.asarray(part, np.float32)) for part in (given, more) if part is not None and len(part)]
    return np.concatenate(parts) if parts else None


def _keys(given: npt.ArrayLike | None, keys: Sequence[Any]) -> list[Any]:
    """The key of each example; None of those that were given as vectors, which come first."""
    return [None] * (0 if given is None else len(np.atleast_2d(np.asarray(given)))) + list(keys)


def _by_key(conflict: str, keys: dict[str, list[Any]]) -> str:
    """A conflict with examples called by their keys, not by their numbers as SQL or the core has them."""

    def name(found: re.Match) -> str:
        number = int(found[2]) - 1
        key = keys[found[1] or ""][number]
        return f"{'counter-' if found[1] else ''}exemplar {number + 1}" if key is None else repr(key)

    return re.sub(r"(?:(counter)[-_])?exemplars?(?: |\[)(\d+)\]?", name, conflict)


def _has_extension(cursor: Any) -> str | None:
    """The quoted schema of the extension."""
    cursor.execute(
        "SELECT pg_catalog.quote_ident(nspname) FROM pg_catalog.pg_extension"
        " JOIN pg_catalog.pg_namespace n ON n.oid = extnamespace WHERE extname = 'hinted_exemplar'"
    )
    row = cursor.fetchone()
    return row[0] if row else None


@dataclass(frozen=True)
class _Names:
    """The table's names, quoted by Postgres, so that none of them can be more than a name."""

    table: str
    embedding: str
    key: str
    embedding_name: str
    """The column's name as the catalog has it."""
    key_name: str
    vector: str
    """The type `vector`, with its schema."""
    inner_product: str
    """The operator <#>, with its schema."""

    @classmethod
    def of(cls, cursor: Any, table: str, embedding: str, key: str) -> _Names:
        cursor.execute(
            "SELECT c.oid::regclass::text, pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_class c,"
            " pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"
            " WHERE c.oid = %s::regclass AND e.extname = 'vector'",
            (table,),
        )
        row = cursor.fetchone()
        if row is None:
            raise LookupError("the extension vector is not installed in this database")
        cursor.execute("SELECT pg_catalog.quote_ident(%s), pg_catalog.quote_ident(%s)", (embedding, key))
        quoted = cursor.fetchone()
        return cls(row[0], quoted[0], quoted[1], embedding, key, f"{row[1]}.vector", f"OPERATOR({row[1]}.<#>)")

    def vectors_of(self, cursor: Any, keys: Sequence[Any]) -> npt.NDArray[np.float32]:
        """The vectors of rows in the order of their keys."""
        if not len(keys):
            return np.empty((0, 0), np.float32)
        cursor.execute(
            f"SELECT {self.key}, ({self.embedding}::{self.vector})::text FROM {self.table} WHERE {self.key} = ANY(%s)",
            (list(keys),),
        )
        # A key may be given as what the driver makes of it, or as its text.
        found = {name: row[1] for row in cursor.fetchall() if row[1] is not None for name in (str(row[0]), row[0])}
        missing = [key for key in keys if key not in found]
        if missing:
            raise LookupError(f"no row of {self.table} has the key {missing[0]!r} and a vector")
        return np.array([_numbers(found[key]) for key in keys], np.float32)

    def keys_at(self, cursor: Any, tables: Sequence[str], places: Sequence[str]) -> list[Any]:
        """The keys of rows by the tables and places where they are."""
        if not places:
            return []
        cursor.execute(
            f"SELECT tableoid::regclass::text, ctid::text, {self.key} FROM {self.table} WHERE ctid = ANY(%s::tid[])",
            (list(places),),
        )
        found = {(table, place): key for table, place, key in cursor.fetchall()}
        return [found[place] for place in zip(tables, places) if place in found]


def _numbers(text: str) -> npt.NDArray[np.float32]:
    return np.fromstring(text[1:-1], np.float32, sep=",")


def _by_extension(
    cursor: Any, schema: str, names: _Names, vectors: dict, k: int, sample_size: int, seed: int, parameters: dict
) -> Rows:
    arguments: list[str] = []
    values: list[Any] = [names.table, names.embedding_name]
    for name in VECTORS:
        if vectors[name] is not None:
            arguments.append(f"{name} => %s::{names.vector}[]")
            rows = vectors[name] if name == "reasons" else np.atleast_2d(vectors[name])
            values.append([text(row) for row in rows])
    for name, value in {**parameters, "sample_size": sample_size, "seed": seed}.items():
        arguments.append(f"{name.rstrip('_')} => %s")
        values.append(value)
    call = f"(%s::regclass, %s, {', '.join(arguments)}"
    cursor.execute(
        f"SELECT {', '.join(COLUMNS)}, sampled, weights::text, false_negatives, false_negative_tables::text[],"
        f" false_negative_ctids::text[] FROM {schema}.hinted_exemplar_fit{call})",
        values,
    )
    *columns, sampled, weights, count, tables, places = cursor.fetchone()
    told = dict(zip(COLUMNS, columns)) | {"false_negative_count": count}
    cursor.execute(
        "SELECT pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute WHERE attrelid = %s::regclass"
        " AND attname = %s",
        (names.table, names.key_name),
    )
    kind = cursor.fetchone()[0]
    cursor.execute(
        f"SELECT key::{kind}, distance, margin FROM {schema}.hinted_exemplar_search{call}, key => %s, k => %s)"
        " WITH ORDINALITY ORDER BY ordinality",
        [*values, names.key, k],
    )
    rows = Rows(Row(*found) for found in cursor.fetchall())
    also = names.keys_at(cursor, tables or [], places or [])
    rows.fit = Fit(**told, weights=_numbers(weights), negatives=sampled, false_negatives=also)
    rows.by = "extension"
    return rows


def _by_sample(cursor: Any, names: _Names, vectors: dict, k: int, sample_size: int, seed: int, parameters: dict) -> Rows:
    keys, negatives = sample(cursor, names, sample_size, seed)
    result = fit(negatives=negatives, **vectors, **parameters)
    result = replace(result, false_negatives=[keys[i] for i in result.false_negatives])
    score = f"{names.embedding} {names.inner_product} %s::{names.vector}"
    cursor.execute(
        f"SELECT {names.key}, {score}, ({names.embedding}::{names.vector})::text FROM {names.table}"
        f" WHERE {names.embedding} IS NOT NULL ORDER BY {score} LIMIT %s",
        (text(result.weights), text(result.weights), k),
    )
    found = cursor.fetchall()
    has_exemplar = vectors["exemplars"] is not None
    margins = result.margin(np.array([_numbers(row[2]) for row in found])) if found else []
    rows = Rows(Row(key, distance, float(margin) if has_exemplar else None) for (key, distance, _), margin in zip(found, margins))
    rows.fit, rows.by = result, "client"
    return rows


def sample(cursor: Any, names: _Names, sample_size: int, seed: int) -> tuple[list[Any], npt.NDArray[np.float32]]:
    """About ``sample_size`` rows of the table and their keys, uniform and the same for the same seed, without a scan of a
    large table.

    Of a table, random places are asked for, as many as are likely to have enough rows; of what has no places, the rows that
    a query gives first.
    """
    cursor.execute(
        "SELECT relkind IN ('r', 'm'), greatest(reltuples, 0), pg_catalog.pg_relation_size(oid)"
        " / pg_catalog.current_setting('block_size')::bigint FROM pg_catalog.pg_class WHERE oid = %s::regclass",
        (names.table,),
    )
    has_places, rows, blocks = cursor.fetchone()
    columns = f"{names.key}, ({names.embedding}::{names.vector})::text"
    if not has_places or blocks * 300 < PLACES_PER_ROW * sample_size or rows <= 2 * sample_size:
        cursor.execute(f"SELECT {columns} FROM {names.table} WHERE {names.embedding} IS NOT NULL LIMIT %s", (50 * sample_size,))
        found = cursor.fetchall()
    else:
        found = _at_random_places(cursor, names, columns, sample_size, seed, int(blocks), rows / blocks)
    generator = np.random.default_rng(seed)
    chosen = sorted(generator.permutation(len(found))[:sample_size])
    return [found[i][0] for i in chosen], np.array([_numbers(found[i][1]) for i in chosen], np.float32)


def _at_random_places(
    cursor: Any, names: _Names, columns: str, sample_size: int, seed: int, blocks: int, per_block: float
) -> list[tuple[Any, str]]:
    """Rows at random (block, offset) pairs. The largest offset that is asked for is well above the mean number of rows of a
    block, so that full blocks are not cut."""
    generator = np.random.default_rng([seed, 1])
    offsets = int(np.ceil(per_block * 1.5)) + 4
    found: dict[str, tuple[Any, str]] = {}
    for _ in range(8):
        wanted = int((sample_size - len(found)) * PLACES_PER_ROW * offsets / max(per_block, 1)) + 32
        places = [
            f"({block},{offset})"
            for block, offset in zip(generator.integers(0, blocks, wanted), generator.integers(1, offsets + 1, wanted))
        ]
        cursor.execute(
            f"SELECT ctid::text, {columns} FROM {names.table} WHERE ctid = ANY(%s::tid[]) AND {names.embedding} IS NOT NULL",
            (places,),
        )
        found.update((place, row) for place, *row in cursor.fetchall())
        if len(found) >= sample_size:
            break
    return [found[place] for place in sorted(found)]


@contextmanager
def _cursor(connection: Any):
    """A cursor of a DB-API connection, or of the one below SQLAlchemy's."""
    if hasattr(connection, "connect") and hasattr(connection, "dialect"):
        with connection.connect() as inner:
            with _cursor(inner) as cursor:
                yield cursor
        return
    driver = getattr(connection, "connection", None)
    raw = getattr(driver, "driver_connection", None) or connection
    with raw.cursor() as cursor:
        yield cursor
