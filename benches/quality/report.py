"""The results as Markdown, for the terminal, a file and the README."""

import numpy as np

import main_table as m
from goals import ALL
from measures import pooled_interval

HEADINGS = {
    "b": "several exemplars, with and without a hint. A rise is against the row above, with its 95 % interval.",
    "c": "relevance feedback: 3 rounds in which the 20 best rows not judged yet are labelled from the ground truth and "
    "fed back as likes and dislikes. Half of the database (half of each class) is searched, sampled and judged; mAP is over the other half, "
    "so over the same rows for every method and round, and none that was judged.",
    "d": "confusers: the wrong class that is most frequent among the top 20 is rejected by its best-ranked row, by its "
    "text, by both, or by the row with the text as its reason. mAP without the rejected row, over queries that have a "
    'confuser. "Before" is ours without a rejection; what is below our own rows is computed by hand and starts from '
    "its own ranking.",
    "e": "neutral text: generic is of the model, own the mean of the set's own hints.",
    "f": "expansion: the best rows of the first fit as light exemplars.",
    "g": "bad hints: the hint of another class at random. The first row has no hint: what is below it is the loss.",
    "h": "losses.",
    "i": "shares: tables of one size in which a share of the rows is wanted, from 1 to 50 %; all of them are negatives too. The best of "
    "four is that of nearest neighbour, text, plain sum and cosine objective with the largest mean.",
    "j": "rare rows: tables of a thousand rows, of which one to eight are wanted. The best of four as above.",
    "k": "rejections: the three best-ranked wrong rows are rejected, bare, with their classes' texts as reasons, or by these texts alone as "
    "counter-hints. They are left out of every ranking.",
    "l": "other spaces made from the set's own.",
    "m": "where it ends: F1 of the rows with a margin above 0, and of the best cut for each query in hindsight. Below, the same with "
    "the share of wanted rows given, and with all but a few of the wanted rows deleted.",
    "o": "diversity: twenty rows of each search, by its argument diversity. A row's nearest is of those above it.",
    "n": "expansion of few: all but a few of the wanted rows deleted, one exemplar. A difference is against no expansion, with its 95 % interval.",
}
COLUMNS = ("map", "ratio", "beats_knn", "beats_text")
BEGIN, END = "<!-- quality: written by make quality UPDATE=1 -->", "<!-- /quality -->"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows])


def cell(value):
    if value is None:
        return ""
    if isinstance(value, dict):
        text = f"{value['change']:+.4f} [{value['low']:+.4f}, {value['high']:+.4f}]"
        return f"{text}, better on {100 * value['better']:.0f} %"
    if isinstance(value, tuple):
        return "{:+.4f} [{:+.4f}, {:+.4f}]".format(*value)
    return f"{value:.4f}" if isinstance(value, (float, np.floating)) else str(value)


def percent(share):
    return f"{100 * share:.0f} %"


# ---- scenario a


def set_table(result):
    rows = [
        (
            method + hindsight(result, method),
            r["map"],
            f"{r['ratio']:.3f}",
            percent(r["beats_knn"]),
            percent(r["beats_text"]),
        )
        for method, r in result["methods"].items()
        if method != m.NEUTRAL
    ]
    return table(["method", "mAP", "/ best centred sum", "beats nearest neighbour", "beats text"], rows)


def hindsight(result, method):
    return f" ({result['chosen'][method]})" if method in result["chosen"] else ""


def overall(results):
    """Means over the data sets, for the methods that all have."""
    sets = [result["methods"] for result in results.values()]
    shared = [method for method in sets[0] if all(method in methods for methods in sets)]
    return {
        method: {column: mean(methods[method][column] for methods in sets) for column in COLUMNS} for method in shared
    }


def mean(values):
    return float(np.mean(list(values)))


def overall_table(results):
    sets = [name.partition("_")[0] for name in results]
    rows = [
        (
            bold(method, method),
            *(bold(method, f"{r['methods'][method]['map']:.3f}") for r in results.values()),
            bold(method, f"{average['map']:.3f}"),
            f"{average['ratio']:.3f}",
            percent(average["beats_knn"]) if method != m.KNN else None,
            percent(average["beats_text"]) if method != m.TEXT else None,
        )
        for method, average in overall(results).items()
        if not method.startswith(f"{m.NEUTRAL}:")
    ]
    return table(["mAP", *sets, "mean", "/ centred sum", "beats nearest neighbour", "beats text"], rows)


def bold(method, text):
    return f"**{text}**" if method in (m.OURS, m.NEUTRAL) else text


def difference_table(results, aps):
    names = [f"{a} - {b}" for a, b in m.DIFFERENCES]
    rows = [(name, *(r["differences"][pair] for pair in names)) for name, r in results.items()]
    pooled = [pooled_interval([ap[a] - ap[b] for ap in aps.values()]) for a, b in m.DIFFERENCES]
    return table(["95 % intervals", *names], [*rows, ("mean of sets", *pooled)])


def counts(results):
    return "; ".join(
        f"`{name}` {r['queries']} queries of {r['classes']} classes in {r['database']:,} rows"
        for name, r in results.items()
    )


def main_section(results, aps):
    parts = ["## a: one exemplar and one hint", counts(results)]
    for name, result in results.items():
        parts += [f"### {name}", f"{result['queries']} queries", set_table(result)]
    parts += ["### Overall", overall_table(results), difference_table(results, aps)]
    return "\n\n".join(parts)


# ---- the other scenarios


def scenario_section(letter, title, per_set):
    parts = [f"## {letter}: {title.lower()}", HEADINGS[letter][0].upper() + HEADINGS[letter][1:]]
    rows = pooled(per_set)
    if rows:
        parts += ["### mean of the sets", table(list(rows[0]), [list(row.values()) for row in rows])]
    for name, rows in per_set.items():
        if rows:
            parts += [f"### {name}", table(list(rows[0]), [list(row.values()) for row in rows])]
    return "\n\n".join(parts)


def pooled(per_set):
    """The mean over the data sets of each row's numbers, with the spread over sets where they have intervals."""
    tables = [rows for rows in per_set.values() if rows]
    if len(tables) < 2 or len({len(rows) for rows in tables}) > 1:
        return []
    return [{key: pool(key, [row.get(key) for row in rows]) for key in rows[0]} for rows in zip(*tables)]


def pool(key, values):
    if all(isinstance(value, (float, np.floating)) for value in values):
        return float(np.mean(values))
    if all(isinstance(value, tuple) for value in values):
        # Queries are drawn within each set, so the sets' errors are independent.
        half = np.sqrt(sum((high - low) ** 2 for _, low, high in values)) / 2 / len(values)
        middle = float(np.mean([value for value, _, _ in values]))
        worst = min(value for value, _, _ in values)
        return f"{middle:+.4f} [{middle - half:+.4f}, {middle + half:+.4f}], worst set {worst:+.4f}"
    return values[0] if len(set(map(str, values))) == 1 else None


def goals_section(found):
    """A row for each goal, a column for each data set."""
    names = sorted({goal.data for goal in found}, key=lambda name: (name == ALL, name))
    values = {(goal.what, goal.data): verdict(goal) for goal in found}
    rows = [(what, *(values.get((what, name)) for name in names)) for what in dict.fromkeys(g.what for g in found)]
    note = "A number in bold misses its goal; one in brackets has an interval that holds 0."
    return "\n\n".join(["## Goals", note, table(["goal", *names], rows)])


def verdict(goal):
    text = f"{goal.value:.3f}"
    return {"yes": text, "within noise": f"({text})", "no": f"**{text}**"}[goal.met]


# ---- the README


def readme_block(results):
    return "\n\n".join([BEGIN, overall_table(results), f"Queries and rows: {counts(results)}.", END])


def insert(readme, results):
    """Rewrites what is between the markers of the README."""
    text = readme.read_text()
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{readme} has no block between {BEGIN} and {END}")
    readme.write_text(before + readme_block(results) + after)
