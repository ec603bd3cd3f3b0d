"""Scenario c: relevance feedback by clicking, three rounds of likes and dislikes among the rows shown."""

import numpy as np
from sklearn.svm import LinearSVC

import baselines
from database import Ask
from dataset import unit
from measures import average_precision, interval

ROUNDS = 3
SHOWN = 20
ROCCHIO = (1.0, 0.5, 0.25)
ROCCHIO_GRID = [(1.0, b, c) for b in (0.5, 1.0, 2.0) for c in (0.0, 0.25, 0.5)]
SVC_GRID = [(c, text) for c in (0.1, 1.0, 10.0) for text in (False, True)]


class Judged:
    """What one query has learnt: places of rows in the half of the database that feedback is given on."""

    def __init__(self):
        self.wanted, self.unwanted = [], []

    def add(self, places, relevant):
        self.wanted += places[relevant].tolist()
        self.unwanted += places[~relevant].tolist()


class Feedback:
    """Half of the database, of each class, is searched and judged; the other half is only measured on."""

    def __init__(self, bench):
        self.bench = bench
        self.shown, self.held = halves(bench.data.database_labels)
        data = bench.data
        self.rows = data.database_rows[self.shown]
        self.ids = data.database[self.shown]
        self.mu = self.rows.mean(0)
        bench.database.table("shown", self.ids)

    def run(self, scores):
        """Each query's AP after each round, and how many wanted rows were shown; `scores(judged)` scores the whole database."""
        bench, data = self.bench, self.bench.data
        judged = [Judged() for _ in bench.queries]
        aps = []
        for number in range(ROUNDS + 1):
            answer = scores(judged)
            aps.append(average_precision(answer[:, self.held], data.database_labels[self.held], bench.labels))
            if number < ROUNDS:
                self.judge(answer[:, self.shown], judged)
        return aps, float(np.mean([len(j.wanted) for j in judged]))

    def judge(self, scores, judged):
        labels = self.bench.data.database_labels[self.shown]
        for query, row, known in zip(self.bench.queries, np.array(scores), judged):
            row[known.wanted + known.unwanted] = -np.inf
            top = np.argsort(-row, kind="stable")[:SHOWN]
            known.add(top, labels[top] == query.label)

    def ours(self, hints=True, **options):
        def scores(judged):
            asks = [self.ask(q, j, hints) for q, j in zip(self.bench.queries, judged)]
            rounds = len(judged[0].wanted + judged[0].unwanted) // SHOWN
            what = ", ".join([f"feedback after {rounds} rounds", "hint" if hints else "no hint", *options])
            return self.bench.scores(self.bench.database.fit(asks, what, source="shown", **options))

        return self.run(scores)

    def ask(self, query, judged, hints):
        wanted = (query.exemplar, *map(int, self.ids[judged.wanted]))
        return Ask(wanted, (query.label,) if hints else (), tuple(map(int, self.ids[judged.unwanted])))

    def with_share(self):
        """The share of the table that is wanted is given, rounded to two digits; queries of one share are asked together."""
        labels = self.bench.data.database_labels[self.shown]
        shares = [float(f"{np.mean(labels == query.label):.2g}") for query in self.bench.queries]

        def scores(judged):
            w = np.zeros_like(self.bench.X)
            for share in sorted(set(shares)):
                which = [i for i, own in enumerate(shares) if own == share]
                asks = [self.ask(self.bench.queries[i], judged[i], True) for i in which]
                w[which] = self.bench.database.fit(asks, f"feedback, {share} wanted", source="shown", seeds=which, expected_share=share)
            return self.bench.scores(w)

        return self.run(scores)

    def rocchio(self, weights, centred):
        mu = self.mu if centred else np.zeros_like(self.mu)

        def scores(judged):
            wanted = np.stack([self.examples(i, j)[0].mean(0) for i, j in enumerate(judged)]) - mu
            unwanted = np.stack([self.rows[j.unwanted].mean(0) - mu if j.unwanted else 0 * mu for j in judged])
            scale = (lambda v: unit(v)) if centred else (lambda v: v)
            return self.bench.scores(baselines.rocchio(self.bench.Q, scale(wanted), scale(unwanted), weights))

        return self.run(scores)

    def examples(self, i, judged):
        return np.vstack([self.bench.X[i : i + 1], self.rows[judged.wanted]]), self.rows[judged.unwanted]

    def with_text(self, i, judged):
        positives, negatives = self.examples(i, judged)
        return np.vstack([positives, self.bench.Q[i : i + 1]]), negatives

    def nearest(self, judged):
        return self.bench.scores(np.stack([self.examples(i, j)[0].mean(0) for i, j in enumerate(judged)]))

    def average_vector(self, judged):
        return self.bench.scores(
            np.stack([baselines.average_vector(*self.with_text(i, j)) for i, j in enumerate(judged)])
        )

    def best_score(self, judged):
        database = self.bench.data.database_rows
        return np.stack([baselines.best_score(database, *self.with_text(i, j)) for i, j in enumerate(judged)])

    def svc(self, c, text):
        """LinearSVC of what was liked against what was disliked; before there is both, the nearest to the mean of what is wanted."""

        def weights(i, known):
            wanted, unwanted = self.with_text(i, known) if text else self.examples(i, known)
            if len(unwanted) == 0:
                return wanted.mean(0)
            rows, labels = np.vstack([wanted, unwanted]), np.repeat([1, 0], [len(wanted), len(unwanted)])
            return LinearSVC(C=c, class_weight="balanced", random_state=0).fit(rows, labels).coef_[0]

        return self.run(lambda judged: self.bench.scores(np.stack([weights(i, j) for i, j in enumerate(judged)])))

    def best(self, method, grid):
        """That of the arguments with which mAP is highest in the end."""
        runs = {arguments: method(*arguments) for arguments in grid}
        best = max(runs, key=lambda key: runs[key][0][-1].mean())
        return best, runs[best]


def halves(labels):
    """Places of two halves, with half of each class in either."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    return np.sort(order[::2]), np.sort(order[1::2])


def relevance_feedback(bench):
    feedback = Feedback(bench)
    weights, plain = feedback.best(lambda *weights: feedback.rocchio(weights, centred=False), ROCCHIO_GRID)
    centred_weights, centred = feedback.best(lambda *weights: feedback.rocchio(weights, centred=True), ROCCHIO_GRID)
    (c, text), svc = feedback.best(feedback.svc, SVC_GRID)
    neutral = bench.data.neutral
    methods = {
        "nearest to the mean of wanted rows": feedback.run(feedback.nearest),
        "text": feedback.run(lambda judged: bench.scores(bench.Q)),
        "Qdrant average_vector": feedback.run(feedback.average_vector),
        "Qdrant best_score": feedback.run(feedback.best_score),
        "Rocchio 1 / 0.5 / 0.25": feedback.rocchio(ROCCHIO, centred=False),
        "best Rocchio in hindsight": plain,
        "centred Rocchio 1 / 0.5 / 0.25": feedback.rocchio(ROCCHIO, centred=True),
        "best centred Rocchio in hindsight": centred,
        "best LinearSVC in hindsight": svc,
        "ours, no hint": feedback.ours(hints=False),
        "ours": feedback.ours(),
        "ours, neutral text": feedback.ours(neutral=neutral),
        "ours, expected_share given": feedback.with_share(),
    }
    chosen = {
        "best Rocchio in hindsight": slashed(weights),
        "best centred Rocchio in hindsight": slashed(centred_weights),
        "best LinearSVC in hindsight": f"C {c:g}, text" if text else f"C {c:g}",
        "ours, neutral text": neutral,
    }
    ours = methods["ours"][0]
    return [
        {"method": method, "chosen": chosen.get(method), "queries": len(bench.queries)}
        | {f"after {i}": ap.mean() for i, ap in enumerate(aps)}
        | {"wanted rows found": found}
        | {f"ours - this, after {i}": None if method == "ours" else interval(ours[i] - ap) for i, ap in enumerate(aps)}
        for method, (aps, found) in methods.items()
    ]


def slashed(weights):
    return " / ".join(f"{w:g}" for w in weights)
