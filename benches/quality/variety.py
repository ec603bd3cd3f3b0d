"""Scenario o: how much alike the rows of a search are, and how many are wanted, by `diversity`."""

import time

import numpy as np

from database import Ask, arguments, progress, psql
from scenarios import FEWER_QUERIES

DIVERSITIES = (0, 0.3, 0.5, 0.7, 1)
SHOWN = 20


def diversities(bench):
    queries = bench.queries[:: max(1, len(bench.queries) // FEWER_QUERIES)][:FEWER_QUERIES]
    bench.database.ask([Ask((q.exemplar,), (q.label,)) for q in queries])
    return [row(bench, queries, diversity) for diversity in DIVERSITIES]


def row(bench, queries, diversity):
    data, found = bench.data, searched(bench, diversity)
    labels = dict(zip(data.database.tolist(), data.database_labels.tolist()))
    precisions, aps, likeness, copies = [], [], [], []
    for query, ids in zip(queries, found):
        hits = np.array([labels[i] == query.label for i in ids])
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        wanted = min(SHOWN, np.count_nonzero(data.database_labels == query.label))
        precisions.append(hits.mean())
        aps.append((precision * hits).sum() / wanted)
        rows = data.rows[ids]
        nearest = np.tril(rows @ rows.T, -1)[1:].max(axis=1)
        likeness.append(nearest.mean())
        copies.append((nearest > 0.95).mean())
    return {"diversity": str(diversity), "queries": str(len(queries))} | {
        f"average precision of {SHOWN} rows": float(np.mean(aps)),
        f"wanted of {SHOWN} rows": float(np.mean(precisions)),
        "cosine with the nearest row above": float(np.mean(likeness)),
        "share with one above .95": float(np.mean(copies)),
    }


def searched(bench, diversity):
    """The ids that each ask finds, in their order."""
    since = time.monotonic()
    names = ("exemplars", "hints")
    call = (
        f"hinted_exemplar_search('items', 'embedding', {arguments(names, None, {})}, seed => a.seed, key => 'id',"
        f" k => {SHOWN}, diversity => {diversity}) WITH ORDINALITY s"
    )
    found = psql(f"SELECT string_agg(s.key, ' ' ORDER BY ordinality) FROM asks a, LATERAL {call} GROUP BY a.id ORDER BY a.id")
    progress(f"{bench.data.name}: diversity {diversity} in {time.monotonic() - since:.1f} s")
    return [np.array(line.split(), int) for line in found.decode().splitlines()]
