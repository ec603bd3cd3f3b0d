"""Scenario a: one exemplar and one hint, by every method, on one data set."""

import sys

import numpy as np

import baselines
from baselines import FORCES, WEIGHTS
from database import Ask
from measures import average_precision, interval

KNN = "nearest neighbour"
SVM = "exemplar SVM, no hint"
TEXT = "text"
BEST_SCORE = "Qdrant best_score"
EQUAL_SUM = "exemplar + text (Qdrant average_vector, Marqo 1:1)"
MOVE_TO = "Weaviate moveTo, force 0.5"
ANY_SUM = "Marqo / Weaviate, best weight in hindsight"
ROCCHIO = "Rocchio 1 / 0.5"
ORACLE = "centred sum, best weight in hindsight"
PUBLISHED = "published objective"
SUM = "hinted_sum.sql, without the extension"
OURS = "ours"
EXPANDED = "ours, expand 5"
NEUTRAL = "ours, neutral text"
NEUTRAL_EXPANDED = "ours, neutral text, expand 5"
EXPAND = 5

DIFFERENCES = [(OURS, TEXT), (OURS, KNN), (OURS, ORACLE), (OURS, PUBLISHED), (NEUTRAL, ORACLE), (NEUTRAL, OURS)]
QDRANT_CHECKS = 10
SQL_CHECKS = 3


def neutral_method(name):
    return f"{NEUTRAL}: {name}"


class Bench:
    """A data set in the database with the queries of a scenario as arrays."""

    def __init__(self, data, database, cap):
        self.data, self.database = data, database
        self.queries = data.queries(cap)
        self.labels = np.array([q.label for q in self.queries])
        self.exemplars = np.array([q.exemplar for q in self.queries])
        self.X, self.Q = data.rows[self.exemplars], data.hints[self.labels]

    def asks(self, hints=True):
        return [Ask((q.exemplar,), (q.label,) if hints else ()) for q in self.queries]

    def scores(self, w):
        return w @ self.data.database_rows.T

    def ap(self, w, excluded=None):
        return self.ap_of_scores(self.scores(w), excluded)

    def ap_of_scores(self, scores, excluded=None):
        return average_precision(scores, self.data.database_labels, self.labels, excluded)

    def oracle(self):
        """The best weight of the centred sum and its AP."""
        mu = self.data.mean
        return baselines.best({a: self.ap(baselines.centred_sum(self.X, self.Q, mu, a)) for a in WEIGHTS})


def measure(bench):
    """The AP of each query by each method, and what was chosen with hindsight."""
    aps, chosen = by_hand(bench)
    ours = search_vectors(bench)
    for method, w in ours.items():
        aps[method] = bench.ap(w)
        if method == neutral_method(bench.data.neutral):
            aps[NEUTRAL] = aps[method]
    return aps, chosen, check_sql(bench, ours[OURS], aps[OURS])


def by_hand(bench):
    X, Q, database = bench.X, bench.Q, bench.data.database_rows
    chosen = {}
    chosen[ORACLE], oracle = bench.oracle()
    sums = {f"weight {a}": bench.ap(baselines.plain_sum(X, Q, a)) for a in WEIGHTS}
    moves = {f"force {f}": bench.ap(baselines.move_to(X, Q, f)) for f in FORCES}
    chosen[ANY_SUM], any_sum = baselines.best(sums | moves)
    best_score = np.array([baselines.best_score(database, np.stack(pair), X[:0]) for pair in zip(X, Q)])
    aps = {
        KNN: bench.ap(X),
        TEXT: bench.ap(Q),
        BEST_SCORE: bench.ap_of_scores(best_score),
        EQUAL_SUM: sums["weight 1.0"],
        MOVE_TO: moves["force 0.5"],
        ANY_SUM: any_sum,
        ROCCHIO: bench.ap(baselines.rocchio(Q, X, 0)),
        ORACLE: oracle,
    }
    return aps, chosen


def search_vectors(bench):
    """What the extension answers, for each way of asking."""
    fit, asks = bench.database.fit, bench.asks()
    neutral = bench.data.neutral
    ways = {
        SVM: fit(bench.asks(hints=False), SVM),
        PUBLISHED: fit(asks, PUBLISHED, objective="cosine"),
        SUM: bench.database.sum(asks, SUM),
        OURS: fit(asks, OURS),
    }
    for name in bench.data.neutrals:
        ways[neutral_method(name)] = fit(asks, neutral_method(name), neutral=name)
    ways[EXPANDED] = fit(asks, EXPANDED, expand=EXPAND)
    ways[NEUTRAL_EXPANDED] = fit(asks, NEUTRAL_EXPANDED, neutral=neutral, expand=EXPAND)
    return ways


def check_sql(bench, w, aps):
    """The largest difference between our AP and the aggregate average_precision, over a few queries."""
    picks = np.linspace(0, len(w) - 1, SQL_CHECKS).astype(int)
    return max(abs(bench.database.average_precision(w[i], bench.labels[i]) - aps[i]) for i in picks)


def check_qdrant(bench):
    """The largest difference in AP between Qdrant's local mode and the formulas above, over a few queries."""
    try:
        qdrant = baselines.Qdrant(bench.data.database_rows)
    except ImportError:
        print("    no qdrant-client: its formulas are not checked", file=sys.stderr)
        return None
    picks = np.linspace(0, len(bench.queries) - 1, QDRANT_CHECKS).astype(int)
    return max(difference_to_qdrant(bench, qdrant, i) for i in picks)


def difference_to_qdrant(bench, qdrant, i):
    database, none = bench.data.database_rows, bench.X[:0]
    pair = np.stack([bench.X[i], bench.Q[i]])
    formulas = {
        "average_vector": database @ baselines.average_vector(pair, none),
        "best_score": baselines.best_score(database, pair, none),
    }
    theirs = np.stack([qdrant.scores(strategy, pair, none) for strategy in formulas])
    both = np.vstack([theirs, np.stack(list(formulas.values()))])
    ap = average_precision(both, bench.data.database_labels, np.repeat(bench.labels[i], 4))
    return float(np.abs(ap[:2] - ap[2:]).max())


def summary(aps):
    """Per method: mAP, the share of queries that beat nearest neighbour and text, the ratio to the oracle."""
    return {
        method: {
            "map": float(ap.mean()),
            "beats_knn": float((ap > aps[KNN]).mean()),
            "beats_text": float((ap > aps[TEXT]).mean()),
            "ratio": float(ap.mean() / aps[ORACLE].mean()),
        }
        for method, ap in aps.items()
    }


def differences(aps):
    return {f"{a} - {b}": interval(aps[a] - aps[b]) for a, b in DIFFERENCES}
