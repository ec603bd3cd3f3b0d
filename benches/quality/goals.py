"""What the search should reach, and whether these figures say so."""

from dataclasses import dataclass

import main_table as m
import numpy as np

ALL = "all sets"
LEAST_OF_EXEMPLAR_ALONE = 0.9
MEAN_OF_EXEMPLAR_ALONE = 0.95
MEAN_OF_VAGUE = 0.99
LEAST_BELOW_BEST_OF_FOUR = {"i": (-0.02, -0.005), "j": (-0.01, -0.01)}


@dataclass
class Goal:
    """A goal on one data set: met is "yes", "within noise" (its interval holds 0) or "no"."""

    what: str
    data: str
    value: float
    met: str


def all_goals(results, tables):
    found = main_goals(results) if results else []
    for letter, goals in {"b": rises, "c": feedback, "d": rejections, "e": neutral_texts, "f": expansions}.items():
        found += goals(tables.get(letter, {}))
    for letter in LEAST_BELOW_BEST_OF_FOUR:
        found += best_of_four(letter, tables.get(letter, {}))
    return found + bad_hints(tables.get("g", {}))


def main_goals(results):
    ours = {name: r["methods"][m.OURS] for name, r in results.items()}
    neutral = {name: r["methods"][m.NEUTRAL] for name, r in results.items() if r["neutral"] == "generic"}
    found = [
        *ratios("a: ours / best centred sum", ours, 1.00, 0.97),
        *ratios("a: ours with the generic neutral text / best centred sum", neutral, 1.02, 0.97),
    ]
    beats = {name: r["beats_text"] for name, r in ours.items()}
    what = "a: share of queries that beat text, on average at least 0.80"
    found += [Goal(what, name, share, "yes") for name, share in beats.items()]
    return [*found, at_least(what, ALL, np.mean(list(beats.values())), 0.80)]


def ratios(what, methods, mean, worst):
    if not methods:
        return []
    what = f"{what}, at least {worst:.2f}, on average {mean:.2f}"
    values = {name: r["ratio"] for name, r in methods.items()}
    overall = at_least(what, ALL, np.mean(list(values.values())), mean)
    return [*(at_least(what, name, value, worst) for name, value in values.items()), overall]


def at_least(what, name, value, wanted):
    return Goal(what, name, float(value), "yes" if value >= wanted else "no")


def improves(what, name, change):
    met = "yes" if change["low"] > 0 else "within noise" if change["high"] >= 0 else "no"
    return Goal(what, name, change["change"], met)


def rises(tables):
    return [
        improves(f"b: {way}: gain of {row['exemplars']} exemplars over fewer", name, row[f"{way}: rise"])
        for name, rows in tables.items()
        for way in ("ours", "ours, no hint")
        for row in rows[1:]
    ]


def feedback(tables):
    """Each round better than the one before it, and than any other method."""
    found = []
    for name, rows in tables.items():
        rounds = [key for key in rows[0] if key.startswith("after")]
        ours = next(row for row in rows if row["method"] == "ours")
        others = [row for row in rows if not row["method"].startswith("ours")]
        for before, after in zip(rounds, rounds[1:]):
            found.append(at_least(f"c: gain of the round {after}", name, ours[after] - ours[before], 0))
            other = max(row[after] for row in others)
            found.append(at_least(f"c: ours - best other method in hindsight, {after}", name, ours[after] - other, 0))
    return found


def rejections(tables):
    found = []
    for name, rows in tables.items():
        for row in rows:
            if row["method"].startswith("counter"):
                found.append(improves(f"d: gain of {row['method']}", name, row["against before"]))
            if bare := row["against the bare counter-exemplar"]:
                found.append(improves("d: gain of the reason over the bare counter-exemplar", name, bare))
    return found


def against_the_first(what, tables, wanted):
    return [
        improves(what.format(row["way"]), name, row["against the first"])
        for name, rows in tables.items()
        for row in rows
        if wanted(row["way"])
    ]


def neutral_texts(tables):
    return against_the_first("e: gain of {}", tables, lambda way: way.endswith(", 0.5 removed"))


def expansions(tables):
    return against_the_first("f: gain of {}", tables, lambda way: way != "expand 0")


def bad_hints(tables):
    """A wrong hint must leave most of what the exemplar alone finds, and one that says nothing nearly all."""
    if not tables:
        return []
    maps = {name: {row["way"]: row["mAP"] for row in rows} for name, rows in tables.items()}
    what = f"g: wrong hint / exemplar alone, at least {LEAST_OF_EXEMPLAR_ALONE:.2f}, on average {MEAN_OF_EXEMPLAR_ALONE:.2f}"
    kept = {n: v["wrong hint"] / v["exemplar alone"] for n, v in maps.items()}
    vague = [v["vague hint: the mean of all"] / v["exemplar alone"] for v in maps.values()]
    return [
        *(at_least(what, n, value, LEAST_OF_EXEMPLAR_ALONE) for n, value in kept.items()),
        at_least(what, ALL, np.mean(list(kept.values())), MEAN_OF_EXEMPLAR_ALONE),
        at_least("g: vague hint / exemplar alone, on average", ALL, np.mean(vague), MEAN_OF_VAGUE),
    ]


def best_of_four(letter, tables):
    """At every share, or number of wanted rows, hardly below the best of nearest neighbour, text, plain sum and published."""
    least, mean = LEAST_BELOW_BEST_OF_FOUR[letter]
    differences = {}
    for name, rows in tables.items():
        for row in rows:
            share = f"{row['exemplars']} exemplars, {str(row['wanted']).split(' of')[0]} wanted"
            differences.setdefault(share, {})[name] = row["ours - best of four"][0]
    found = []
    for share, values in differences.items():
        what = f"{letter}: ours - best of four, {share}, at least {least}, on average {mean}"
        found += [at_least(what, name, value, least) for name, value in values.items()]
        found.append(at_least(what, ALL, np.mean(list(values.values())), mean))
    return found
