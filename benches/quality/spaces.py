"""Scenario l: the same search in spaces made from a data set's own, each compared with what needs no fit."""

from dataclasses import replace

import numpy as np

import baselines
from database import Database
from dataset import unit
from main_table import Bench
from measures import interval

DIMENSIONS = (128, 32, 8)
QUERIES = 60
# Rows of a burst, and how near to their exemplar they are.
BURST, NEARNESS = 100, 0.02
DUPLICATES = 0.1


def spaces(bench):
    rows = []
    for name, data in variants(bench.data).items():
        other = Bench(data, Database(data), QUERIES)
        rows.append(measured(name, other))
    # The tables hold the last variant now; scenarios that follow bring their own.
    Database(bench.data)
    return rows


def measured(name, bench):
    X, Q, fit = bench.X, bench.Q, bench.database.fit
    spread = lambda V: (bench.data.database_rows @ V.T).std(0)[:, None]
    aps = {
        "nearest neighbour": bench.ap(X),
        "text": bench.ap(Q),
        "plain sum": bench.ap(baselines.plain_sum(X, Q, 1.0)),
        "spread-scaled sum": bench.ap(X / spread(X) + Q / spread(Q)),
        "cosine objective": bench.ap(fit(bench.asks(), f"{name}, cosine", objective="cosine")),
        "ours": bench.ap(fit(bench.asks(), name)),
    }
    best = max((ap for way, ap in aps.items() if way != "ours"), key=np.mean)
    means = {way: ap.mean() for way, ap in aps.items()}
    return {"space": name, "queries": len(X)} | means | {"ours - best other": interval(aps["ours"] - best)}


def variants(data):
    """Other spaces of the same rows and texts."""
    change = lambda f: replace(data, rows=unit(f(data.rows)), hints=texts(f, data.hints), generic_neutral=None)
    d = data.rows.shape[1]
    found = {"as it is": data}
    found |= {f"first {k} dimensions": change(lambda v, k=k: v[:, :k]) for k in DIMENSIONS if k < d}
    # A dimension that is 0 in every row stays 0.
    scale = np.maximum(np.abs(data.rows).max(0), np.finfo(np.float32).tiny)
    found["quantized to int8"] = change(lambda v: np.round(v / scale * 127).clip(-127, 127).astype(np.float32))
    found["quantized to bits"] = change(lambda v: np.where(v > data.mean, 1, -1).astype(np.float32))
    found["10 % exact duplicates"] = duplicates(data)
    found[f"a burst of {BURST} near copies of an exemplar"] = more_rows(data, burst(data))
    found["two models in one column"] = two_models(data)
    return found


def texts(f, hints):
    """The hints in the other space; classes without one still have none."""
    return np.where(np.linalg.norm(hints, axis=1, keepdims=True) > 0, unit(f(hints)), 0).astype(np.float32)


def more_rows(data, added):
    """Rows of no class behind the others."""
    labels = np.concatenate([data.labels, np.full(len(added), -1)])
    return replace(data, rows=np.vstack([data.rows, added]).astype(np.float32), labels=labels)


def duplicates(data):
    """Some rows once more, with their labels."""
    again = np.random.default_rng(0).choice(len(data.rows), int(DUPLICATES * len(data.rows)), replace=False)
    return replace(data, rows=data.rows[np.r_[: len(data.rows), again]], labels=data.labels[np.r_[: len(data.rows), again]])


def burst(data):
    """Near copies of a row that nobody asks for."""
    rng = np.random.default_rng(0)
    center = data.rows[data.database[0]]
    return unit(center + NEARNESS * rng.normal(size=(BURST, len(center)))).astype(np.float32)


def two_models(data):
    """As many rows again, turned by a random orthogonal matrix: another model of the same dimensions."""
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.normal(size=(data.rows.shape[1],) * 2))
    return more_rows(data, unit(data.database_rows @ turn).astype(np.float32))
