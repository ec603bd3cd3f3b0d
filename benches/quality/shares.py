"""Scenarios i and j: tables in which a known share of the rows, or a known number of them, is wanted."""

from dataclasses import dataclass

import numpy as np

import baselines
from database import Ask
from dataset import EXEMPLARS, unit
from measures import average_precision, interval

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
RARE = (1, 2, 4, 8)
# Tables are as large as a class can fill the half of, within these.
LEAST_TABLE, MOST_TABLE = 20, 1000
QUERIES = 16
RARE_QUERIES = 40
FOUR = ("nearest neighbour", "text", "plain sum", "cosine objective")


@dataclass
class Table:
    """A query with the rows it searches, all of which are its negatives too."""

    query: object
    exemplars: tuple
    ids: np.ndarray
    wanted: np.ndarray


def share_tables(data, share, count):
    """Tables of one size, the same for every share, in which `share` of the rows belong to the class asked for."""
    rng = np.random.default_rng(7)
    size, large = table_size(data)
    found = []
    for number in range(QUERIES):
        label = large[number % len(large)]
        own = data.exemplars[label]
        first = number // len(large) % EXEMPLARS
        exemplars = tuple(int(own[(first + i) % EXEMPLARS]) for i in range(count))
        members = rng.permutation(data.database[data.database_labels == label])
        others = rng.permutation(data.database[data.database_labels != label])
        wanted = max(1, round(share * size))
        ids = np.concatenate([members[:wanted], others[: size - wanted]])
        found.append(Table(label, exemplars, ids, np.arange(size) < wanted))
    return found


def table_size(data):
    """The size of the tables, and the classes that can fill the half of one."""
    sizes = {c: int((data.database_labels == c).sum()) for c in data.asked}
    # The size that at least four classes reach, or all.
    enough = sorted(sizes.values(), reverse=True)[min(3, len(sizes) - 1)]
    size = min(MOST_TABLE, 2 * enough, len(data.database))
    return size, [c for c, n in sizes.items() if 2 * n >= size]


def rare_tables(data, wanted):
    """The whole database, of whose wanted rows all but a few are left out, as far as a sample sees it."""
    rng = np.random.default_rng(3)
    found = []
    for query in data.queries(RARE_QUERIES)[:RARE_QUERIES]:
        members = data.database[data.database_labels == query.label]
        others = rng.permutation(data.database[data.database_labels != query.label])[: MOST_TABLE - wanted]
        ids = np.concatenate([rng.permutation(members)[:wanted], others])
        found.append(Table(query.label, (query.exemplar,), ids, np.arange(len(ids)) < min(wanted, len(members))))
    return found


class Measured:
    """The AP of each table's ranking, by each method."""

    def __init__(self, bench, tables):
        self.bench, self.tables = bench, tables
        data = bench.data
        self.X = unit(np.stack([data.rows[list(t.exemplars)].mean(0) for t in tables]))
        self.Q = data.hints[[t.query for t in tables]]

    def ap(self, W):
        rows = self.bench.data.rows
        scores = [rows[t.ids] @ w for t, w in zip(self.tables, W)]
        return np.array([average_precision(s[None], t.wanted.astype(int), [1])[0] for s, t in zip(scores, self.tables)])

    def asks(self, hints):
        return [Ask(t.exemplars, (t.query,) if hints else (), negatives=tuple(map(int, t.ids))) for t in self.tables]

    def ours(self, what, hints=True, **options):
        return self.ap(self.bench.database.fit_given(self.asks(hints), what, **options))

    def spread_sum(self):
        rows = self.bench.data.rows
        spread = lambda V: np.array([(rows[t.ids] @ v).std() for t, v in zip(self.tables, V)])[:, None]
        return self.X / spread(self.X) + self.Q / spread(self.Q)

    def by_hand(self):
        return {
            "nearest neighbour": self.ap(self.X),
            "text": self.ap(self.Q),
            "plain sum": self.ap(baselines.plain_sum(self.X, self.Q, 1.0)),
            "spread-scaled sum": self.ap(self.spread_sum()),
        }


def row_of(measured, aps, **first):
    four = max((aps[m] for m in FOUR if m in aps), key=np.mean)
    names = [name for name in ("ours", "ours, no hint") if name in aps]
    means = {name: ap.mean() for name, ap in aps.items()}
    against = {f"{name} - best of four": interval(aps[name] - four) for name in names[:1]}
    alone = {"ours - no hint": interval(aps["ours"] - aps["ours, no hint"])}
    return {**first, "queries": len(measured.tables)} | means | against | alone


def shares(bench):
    """1 to 50 % of a table wanted, one and three exemplars, with and without the hint."""
    rows = []
    size = table_size(bench.data)[0]
    if size < LEAST_TABLE:
        return rows
    for count in (1, 3):
        for share in SHARES:
            measured = Measured(bench, share_tables(bench.data, share, count))
            what = f"{count} exemplars, {100 * share:g} % of {size} rows"
            aps = measured.by_hand() | {
                "cosine objective": measured.ours(f"{what}, cosine", objective="cosine"),
                "ours": measured.ours(what),
                "ours, no hint": measured.ours(f"{what}, no hint", hints=False),
                "ours, share given": measured.ours(f"{what}, share given", expected_share=share),
            }
            rows.append(row_of(measured, aps, exemplars=count, wanted=f"{100 * share:g} % of {size}"))
    return rows


def rare(bench):
    """1 to 8 wanted rows in a table of a thousand."""
    rows = []
    for wanted in RARE:
        measured = Measured(bench, rare_tables(bench.data, wanted))
        what = f"{wanted} wanted rows"
        aps = measured.by_hand() | {
            "cosine objective": measured.ours(f"{what}, cosine", objective="cosine"),
            "ours": measured.ours(what),
            "ours, no hint": measured.ours(f"{what}, no hint", hints=False),
        }
        rows.append(row_of(measured, aps, exemplars=1, wanted=wanted))
    return rows
