"""Scenarios b and d to h, and the list of all: each measures one feature on one data set and returns the rows of its table."""

import importlib

import numpy as np

import baselines
from baselines import WEIGHTS
from database import NEUTRAL_IDS, Ask
from dataset import EXEMPLARS, unit
from main_table import SUM, Bench
from measures import average_precision, interval


def change(new, old):
    """The mean difference with its interval, and the share of queries that got better."""
    mean, low, high = interval(new - old)
    return {"change": mean, "low": low, "high": high, "better": float((new > old).mean())}


def cosines(w, Q):
    return float((unit(w) * unit(Q)).sum(1).mean())


# ---- b: several exemplars

COUNTS = (1, 3, 5, 10)


def several_exemplars(bench):
    """1 to 10 exemplars; a query's k exemplars are its own and those that follow it in its class."""
    rows = []
    before = {}
    for count in COUNTS:
        groups = [following(bench.data.exemplars[q.label], q.exemplar, count) for q in bench.queries]
        means = unit(np.stack([bench.data.rows[list(g)].mean(0) for g in groups]))
        mu = bench.data.mean
        sums = {a: bench.ap(baselines.centred_sum(means, bench.Q, mu, a)) for a in (*WEIGHTS, 2.0, 4.0)}
        fit = bench.database.fit
        asks = [Ask(g, (q.label,)) for g, q in zip(groups, bench.queries)]
        ways = {
            "ours, no hint": fit([Ask(g) for g in groups], f"{count} exemplars, no hint"),
            "ours": fit(asks, f"{count} exemplars and hint"),
        }
        row = {"exemplars": count, "queries": len(groups), "nearest to their mean": bench.ap(means).mean()}
        for way, w in ways.items():
            ap = bench.ap(w)
            row[way] = ap.mean()
            row[f"{way}: rise"] = change(ap, before[way]) if way in before else None
            before[way] = ap
        row[SUM] = bench.ap(bench.database.sum(asks, f"{count} exemplars and hint, {SUM}")).mean()
        row["best centred sum"] = baselines.best(sums)[1].mean()
        row["text"] = bench.ap(bench.Q).mean()
        row["cos(w, hint)"] = cosines(ways["ours"], bench.Q)
        rows.append(row)
    return rows


def following(exemplars, first, count):
    start = exemplars.tolist().index(first)
    return tuple(int(exemplars[(start + i) % EXEMPLARS]) for i in range(min(count, EXEMPLARS)))


# ---- d: confusers

TOP = 20


def confusers(bench):
    """One rejection of the class that is most often mistaken for the wanted one; the rejected row is not ranked."""
    database, data = bench.database, bench.data
    first = database.fit(bench.asks(), "confusers: before")
    found = [confuser(data, s, q.label) for s, q in zip(bench.scores(first), bench.queries)]
    kept = [i for i, f in enumerate(found) if f]
    if not kept:
        return []
    places = np.array([found[i][0] for i in kept])
    wrong = np.array([found[i][1] for i in kept])
    queries = [bench.queries[i] for i in kept]
    X, Q, R, T = bench.X[kept], bench.Q[kept], data.database_rows[places], data.hints[wrong]

    def ours(what, row=False, text=False, reason=False):
        asks = [
            rejecting(q, int(data.database[p]), int(c), row, text, reason) for q, p, c in zip(queries, places, wrong)
        ]
        return bench.scores(database.fit(asks, f"confusers: {what}", seeds=kept))

    def by_hand(w):
        return w @ data.database_rows.T

    mu = data.mean
    rejected = [Ask((q.exemplar,), (q.label,), (int(data.database[p]),)) for q, p in zip(queries, places)]
    qdrant = [baselines.average_vector(np.stack(pair[:2]), pair[2][None]) for pair in zip(X, Q, R)]
    best_score = [baselines.best_score(data.database_rows, np.stack(p[:2]), p[2][None]) for p in zip(X, Q, R)]
    methods = {
        "before": bench.scores(first[kept]),
        "counter-exemplar": ours("counter-exemplar", row=True),
        "counter-hint": ours("counter-hint", text=True),
        "counter-exemplar and counter-hint": ours("both", row=True, text=True),
        "counter-exemplar with its reason": ours("reason", row=True, reason=True),
        f"{SUM}, counter-exemplar": by_hand(database.sum(rejected, f"confusers: {SUM}", kept)),
        "text pushed by hand: q - 0.3 (r - q)": by_hand(1.3 * Q - 0.3 * T),
        "centred Rocchio 1 / 0.5 / 0.25": by_hand(baselines.rocchio(Q, unit(X - mu), unit(R - mu))),
        "Qdrant average_vector": by_hand(np.stack(qdrant)),
        "Qdrant best_score": np.stack(best_score),
    }
    labels = bench.labels[kept]
    aps = {m: average_precision(s, data.database_labels, labels, places) for m, s in methods.items()}
    bare = aps["counter-exemplar"]
    return [
        {
            "method": method,
            "queries": len(kept),
            "mAP": ap.mean(),
            "against before": change(ap, aps["before"]),
            "against the bare counter-exemplar": change(ap, bare) if "reason" in method else None,
        }
        for method, ap in aps.items()
    ]


def rejecting(query, counter, confused, row, text, reason):
    counter, confused = (counter,), (confused,)
    return Ask(
        (query.exemplar,),
        (query.label,),
        counter if row else (),
        confused if text else (),
        confused if reason else (),
    )


def confuser(data, scores, wanted):
    """(place of the best-ranked row, class) of the most frequent wrong hinted class among the top rows, or None."""
    top = np.argsort(-scores, kind="stable")[:TOP]
    labels = data.database_labels[top]
    wrong = [c for c in labels if c >= 0 and c != wanted and data.hinted[c]]
    if not wrong:
        return None
    most = max(dict.fromkeys(wrong), key=wrong.count)
    return int(top[np.argmax(labels == most)]), int(most)


# ---- e to h: options

FRACTIONS = (0.25, 0.5, 0.8, 1.0)
EXPANSIONS = (5, 10, 20)


def compared(bench, first, ways):
    """Rows that compare {name: arguments of fit} with the first way, on the same queries."""
    base = None
    rows = []
    for name, (asks, options) in ({first[0]: first[1]} | ways).items():
        ap = bench.ap(bench.database.fit(asks, name, **options))
        base = ap if base is None else base
        row = {"way": name, "queries": len(ap), "mAP": ap.mean()}
        rows.append(row | {"against the first": None if ap is base else change(ap, base)})
    return rows


def neutral_fractions(bench):
    asks = bench.asks()
    ways = {
        f"{name} neutral text, {fraction:g} removed": (asks, {"neutral": name, "neutral_fraction": fraction})
        for name in bench.data.neutrals
        for fraction in FRACTIONS
    }
    return compared(bench, ("no neutral text", (asks, {})), ways)


def expansions(bench):
    asks = bench.asks()
    ways = {f"expand {count}": (asks, {"expand": count}) for count in EXPANSIONS}
    return compared(bench, ("expand 0", (asks, {})), ways)


def bad_hints(bench):
    """The hint of another class, drawn at random, beside no hint and the right one."""
    rng = np.random.default_rng(0)
    hinted = np.flatnonzero(bench.data.hinted)
    texts = [int(rng.choice(hinted[hinted != q.label])) for q in bench.queries]
    wrong = [Ask((q.exemplar,), (other,)) for q, other in zip(bench.queries, texts)]
    neutral = bench.data.neutral
    ways = {
        "wrong hint": (wrong, {}),
        f"wrong hint, neutral text ({neutral})": (wrong, {"neutral": neutral}),
        "wrong hint, published objective": (wrong, {"objective": "cosine"}),
        "vague hint: the mean of all": ([Ask((q.exemplar,), (OWN_NEUTRAL,)) for q in bench.queries], {}),
        "its own hint": (bench.asks(), {}),
        "its own hint, published objective": (bench.asks(), {"objective": "cosine"}),
    }
    rows = compared(bench, ("exemplar alone", (bench.asks(hints=False), {})), ways)
    weight, _ = bench.oracle()
    T = bench.data.hints[texts]
    sums = baselines.centred_sum(bench.X, T, bench.data.mean, weight)
    plain = bench.database.sum(wrong, f"wrong hint, {SUM}")
    others = {f"wrong hint, centred sum ({weight:g})": sums, f"wrong hint, {SUM}": plain}
    for name, w in ({"nearest neighbour": bench.X} | others).items():
        rows.append({"way": name, "queries": len(w), "mAP": bench.ap(w).mean(), "against the first": None})
    return rows


def losses(bench):
    rows = []
    for suffix, asks in {"": bench.asks(), ", no hint": bench.asks(hints=False)}.items():
        ways = {f"logistic{suffix}": (asks, {"loss": "logistic"})}
        rows += compared(bench, (f"squared_hinge{suffix}", (asks, {})), ways)
    return rows


# The text that says what all hints of the set say, as a hint.
OWN_NEUTRAL = NEUTRAL_IDS["own"]

# Few queries have a confuser: all of the main table's are looked at.
MORE_QUERIES = "d"

# Others search tables of their own for each query, or many times.
FEWER_QUERIES = 60

def of_module(module, name):
    """A scenario of another module, which may itself need what is here."""
    return lambda bench: getattr(importlib.import_module(module), name)(bench)


SCENARIOS = {
    "b": ("Several exemplars", several_exemplars),
    "c": ("Relevance feedback", of_module("feedback", "relevance_feedback")),
    "d": ("Confusers", confusers),
    "e": ("Neutral text", neutral_fractions),
    "f": ("Expansion", expansions),
    "g": ("Bad hints", bad_hints),
    "h": ("Losses", losses),
    "i": ("Shares", of_module("shares", "shares")),
    "j": ("Rare rows", of_module("shares", "rare")),
    "k": ("Rejections", of_module("rejections", "rejections")),
    "l": ("Other spaces", of_module("spaces", "spaces")),
    "m": ("Where it ends", of_module("cuts", "ends")),
    "n": ("Expansion of few", of_module("cuts", "expansions_of_few")),
    "o": ("Diversity", of_module("variety", "diversities")),
}


def run(letter, data, database, cap):
    return SCENARIOS[letter][1](Bench(data, database, cap))
