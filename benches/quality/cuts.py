"""Scenarios m and n: where the wanted rows are taken to end, and expansion where few rows are wanted."""

import numpy as np

from database import Ask
from measures import average_precision, interval
from scenarios import FEWER_QUERIES, following

COUNTS = (1, 3, 5)
FEW = (1, 4)
RELEVANT = (1, 2, 4, 8, 16, None)
EXPANSIONS = (0, 5, 10)


def f1(margins, relevant):
    """F1 of the rows above 0 and of the best cut in hindsight, and precision and recall of the former."""
    order = np.argsort(-margins, kind="stable")
    hits = np.concatenate([[0], np.cumsum(relevant[order])])
    of_cut = 2 * hits / np.maximum(np.arange(len(hits)) + hits[-1], 1)
    above = np.count_nonzero(margins > 0)
    return of_cut[above], of_cut.max(), hits[above] / max(above, 1), hits[above] / max(hits[-1], 1)


def ends(bench):
    """The default cut against the best one of each query in hindsight."""
    data, rows = bench.data, []
    labels = data.database_labels
    masks = [labels == q.label for q in bench.queries]
    everything = [np.ones(len(labels), bool)] * len(masks)
    for count in COUNTS:
        groups = [following(data.exemplars[q.label], q.exemplar, count) for q in bench.queries]
        for hint in ("no", "yes"):
            asks = [Ask(g, (q.label,) if hint == "yes" else ()) for g, q in zip(groups, bench.queries)]
            rows.append(of_cut(bench, asks, (masks, everything), count, hint, "all"))
    asks = bench.asks()
    shares = [mask.mean() for mask in masks]
    rows.append(of_cut(bench, asks, (masks, everything), 1, "yes", "all, share given", shares))
    for few in FEW:
        kept = [only(mask, few, number) for number, mask in enumerate(masks[:FEWER_QUERIES])]
        rows.append(of_cut(bench, asks[:FEWER_QUERIES], (masks, kept), 1, "yes", str(few)))
    return rows


def of_cut(bench, asks, parts, count, hint, wanted, shares=None):
    """A row of the table, over the part of the database that each query searches."""
    masks, kept = parts
    left_out = [tuple(map(int, bench.data.database[~part])) for part in kept[: len(asks)]]
    asks = [Ask(a.exemplars, a.hints, negatives=out) for a, out in zip(asks, left_out)]
    what = f"{count} exemplars, hint {hint}, {wanted} wanted: margins"
    w, scale, bias = bench.database.planes(asks, what, shares, filtered=any(map(len, left_out)))
    margins = bench.scores(w) * scale[:, None] + bias[:, None]
    measured = np.array([f1(m[part], mask[part]) for m, mask, part in zip(margins, masks, kept)]).mean(0)
    return {"exemplars": count, "hint": hint, "wanted rows": wanted, "queries": len(asks)} | {
        "F1 above 0": float(measured[0]),
        "best cut in hindsight": float(measured[1]),
        "ratio": float(measured[0] / measured[1]),
        "precision above 0": float(measured[2]),
        "recall above 0": float(measured[3]),
    }


def only(mask, count, seed):
    """The database without all but `count` of the wanted rows."""
    places = np.flatnonzero(mask)
    kept = np.ones(len(mask), bool)
    kept[np.random.default_rng(seed).permutation(places)[count:]] = False
    return kept


def expansions_of_few(bench):
    """mAP by the number of wanted rows in the whole table, one exemplar, expand 0, 5 and 10."""
    data, rows = bench.data, []
    labels = data.database_labels
    queries = bench.queries[:: max(1, len(bench.queries) // FEWER_QUERIES)][:FEWER_QUERIES]
    for relevant in RELEVANT:
        asked = [q for q in queries if relevant is None or np.count_nonzero(labels == q.label) > relevant]
        if not asked:
            continue
        kept = [only(labels == q.label, relevant, number) for number, q in enumerate(asked)]
        left_out = [tuple(map(int, data.database[~part])) for part in kept]
        for hint in ("no", "yes"):
            asks = [Ask((q.exemplar,), (q.label,) if hint == "yes" else (), negatives=out) for q, out in zip(asked, left_out)]
            aps = [expanded(bench, asks, asked, kept, count, f"{relevant or 'all'} wanted, hint {hint}") for count in EXPANSIONS]
            row = {"wanted rows": str(relevant or "all"), "hint": hint, "queries": str(len(asks))}
            row |= {f"expand {count}": float(ap.mean()) for count, ap in zip(EXPANSIONS, aps)}
            rows.append(row | {f"{count} - 0": interval(ap - aps[0]) for count, ap in zip(EXPANSIONS[1:], aps[1:])})
    return rows


def expanded(bench, asks, asked, kept, count, what):
    w, *_ = bench.database.planes(asks, f"expand {count}, {what}", expand=count, filtered=any(a.negatives for a in asks))
    scores, labels = bench.scores(w), bench.data.database_labels
    parts = zip(scores, asked, kept)
    return np.array([average_precision(s[None, part], labels[part], [q.label])[0] for s, q, part in parts])
