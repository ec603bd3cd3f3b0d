"""Scenario k: the best-ranked wrong rows are rejected, bare, with reasons, or by reasons alone."""

import numpy as np

from database import Ask
from measures import average_precision, interval
from scenarios import following

REJECTED = 3
COUNTS = (1, 3, 5)


def rejections(bench):
    """The rejected rows are left out of every ranking; each change is against the fit before the rejections."""
    return [row for count in COUNTS for row in of_count(bench, count)]


def of_count(bench, count):
    data, database = bench.data, bench.database
    groups = [following(data.exemplars[q.label], q.exemplar, count) for q in bench.queries]
    before = [Ask(group, (q.label,)) for group, q in zip(groups, bench.queries)]
    first = bench.scores(database.fit(before, f"rejections: {count} exemplars"))
    wrong = [wrong_rows(s, data.database_labels, q.label) for s, q in zip(first, bench.queries)]
    texts = [[confused(data, place) for place in places] for places in wrong]
    ids = [tuple(map(int, data.database[places])) for places in wrong]

    def fitted(what, rows, reasons, hints):
        asks = [
            Ask(
                ask.exemplars,
                ask.hints,
                own if rows else (),
                tuple(t for t in said if t is not None) if hints else (),
                tuple(said) if reasons and any(t is not None for t in said) else (),
            )
            for ask, own, said in zip(before, ids, texts)
        ]
        return bench.scores(database.fit(asks, f"rejections: {what}"))

    ways = {
        "before": first,
        "rejected bare": fitted("bare", True, False, False),
        "rejected with reasons": fitted("with reasons", True, True, False),
        "reasons alone": fitted("reasons alone", False, False, True),
    }
    aps = {way: without(scores, wrong, data.database_labels, bench.labels) for way, scores in ways.items()}
    return [
        {
            "exemplars": count,
            "way": way,
            "queries": len(ap),
            "mAP": ap.mean(),
            "against before": None if way == "before" else interval(ap - aps["before"]),
            "against reasons alone": interval(ap - aps["reasons alone"]) if "with" in way else None,
        }
        for way, ap in aps.items()
    ]


def wrong_rows(scores, labels, wanted):
    order = np.argsort(-scores, kind="stable")
    return order[labels[order] != wanted][:REJECTED]


def confused(data, place):
    """The class of a row, if it has a text."""
    label = int(data.database_labels[place])
    return label if label >= 0 and data.hinted[label] else None


def without(scores, places, labels, wanted):
    scores = np.array(scores)
    for row, left_out in zip(scores, places):
        row[left_out] = -np.inf
    return average_precision(scores, labels, wanted)
