"""How many of the true neighbours an index finds, for rows, texts and weight vectors, plain and by hinted_exemplar_search.

usage: python recall.py OUTPUT_DIR [--queries N] FOLDER[+FOLDER...] ...

Each argument is a folder of items.npy, labels.npy, hints.npy and has_hint.npy, or several that are joined. The server is the one
that the environment points to. Tables go to standard output and, with the figures as JSON, to OUTPUT_DIR.

Recall is the share of the true ten or hundred rows; a row as near as the last of these counts as one of them. A query is
empty-handed if none of the first ten is. Times are medians of a client's round trips on one connection; those of a table's
last rows were taken in turns, query by query.
"""

import argparse
import json
import pathlib
import statistics
import time

import numpy as np
import psycopg

SAMPLE_SEED = 13
DEPTH = 100
EF_SEARCH = [40, 100, 200, 400, 1000]
KINDS = {"row": "x", "text": "q", "exemplar SVM": "svm", "hinted": "hinted", "hinted, neutral text": "neutral"}
ARGUMENTS = {
    "q": "hint => q",
    "svm": "exemplar => x",
    "hinted": "exemplar => x, hint => q",
    "neutral": "exemplar => x, hint => q, neutral_hint => m",
}


def unit(rows):
    rows = rows.astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)


def text(vector):
    return "[" + ",".join(f"{value:.9g}" for value in vector) + "]"


class DataSet:
    """Rows, labels and a hint for each class of one or more folders, and a text that says nothing."""

    def __init__(self, folders):
        self.name = " + ".join(folder.name for folder in folders)
        items, labels, hints, hinted = [], [], [], []
        for folder in folders:
            first = sum(len(part) for part in hints)
            own = np.load(folder / "labels.npy").astype(int)
            items.append(unit(np.load(folder / "items.npy")))
            labels.append(np.where(own >= 0, own + first, -1))
            hints.append(unit(np.load(folder / "hints.npy")))
            hinted.append(np.load(folder / "has_hint.npy"))
        self.items, self.labels = np.concatenate(items), np.concatenate(labels)
        self.hints, self.hinted = np.concatenate(hints), np.concatenate(hinted)
        neutral = folders[0].parent / "neutral_clip_b32.npy"
        self.neutral = unit(self.hints[self.hinted].mean(axis=0))
        if "clip_b32" in folders[0].name and neutral.exists():
            self.neutral = unit(np.load(neutral))


class Bench:
    def __init__(self, data, queries):
        self.data = data
        self.connection = psycopg.connect(autocommit=True)
        self.truth = {}
        self.load(queries)

    def run(self, sql, **values):
        return self.connection.execute(sql, values or None)

    def load(self, queries):
        """The items, and queries that are random rows with a hint; the weight vectors are fitted once."""
        data, d = self.data, self.data.items.shape[1]
        self.run("SET client_min_messages = warning")
        self.run("CREATE EXTENSION IF NOT EXISTS hinted_exemplar CASCADE")
        self.run("DROP TABLE IF EXISTS items, queries")
        self.run(f"CREATE TABLE items (id int PRIMARY KEY, class int, embedding vector({d}))")
        vectors = ", ".join(f"{name} vector({d})" for name in ("x", "q", "m", "svm", "hinted", "neutral"))
        self.run(f"CREATE TABLE queries (id int PRIMARY KEY, {vectors})")
        with self.connection.cursor().copy("COPY items FROM STDIN") as copy:
            for i, row in enumerate(data.items):
                copy.write_row((i, int(data.labels[i]), text(row)))
        self.run("VACUUM ANALYZE items")
        rows = np.random.default_rng(SAMPLE_SEED).permutation(len(data.items))
        rows = [i for i in rows if data.labels[i] >= 0 and data.hinted[data.labels[i]]][:queries]
        self.queries = len(rows)
        for number, i in enumerate(rows):
            q = data.hints[data.labels[i]]
            self.run("INSERT INTO queries VALUES (%(n)s, %(x)s, %(q)s, %(m)s)", n=number, x=text(data.items[i]),
                     q=text(q), m=text(data.neutral))
        fits = [f"{name} = hinted_exemplar('items', 'embedding', {given})" for name, given in ARGUMENTS.items() if name != "q"]
        self.run(f"UPDATE queries SET {', '.join(fits)}")
        self.run("VACUUM FULL queries")
        self.run("ANALYZE queries")

    def scores(self, column):
        """The inner products of each query with all rows, and the tenth and the hundredth of them."""
        if column not in self.truth:
            cursor = self.run(f"SELECT vector_send({column}) FROM queries ORDER BY id")
            w = np.stack([np.frombuffer(row[0][4:], ">f4") for row in cursor]).astype(np.float64)
            scores = w @ self.data.items.T.astype(np.float64)
            best = -np.partition(-scores, (9, DEPTH - 1), axis=1)
            self.truth[column] = scores.astype(np.float32), best[:, 9] - 1e-6, best[:, DEPTH - 1] - 1e-6
        return self.truth[column]

    def measure(self, column, settings, statements, queries, warm=3):
        """For each statement, run in turns: recall@10, recall@100, the share of empty-handed queries and the median time."""
        self.run("RESET ALL")
        for setting in ["jit = off", "enable_seqscan = off", *settings]:
            self.run(f"SET {setting}")
        scores, tenth, hundredth = self.scores(column)
        hits10, hits100, times = ([[] for _ in statements] for _ in range(3))
        for i in [*range(min(warm, queries)), *range(queries)]:
            for s, statement in enumerate(statements):
                started = time.perf_counter()
                found = [row[0] for row in self.connection.execute(statement, {"i": i}, prepare=True)]
                times[s].append(time.perf_counter() - started)
                if len(times[s]) > min(warm, queries):
                    near = scores[i, found] if isinstance(next(iter(found), None), int) else np.zeros(0)
                    hits10[s].append(np.count_nonzero(near[:10] >= tenth[i]) / 10)
                    hits100[s].append(np.count_nonzero(near[:DEPTH] >= hundredth[i]) / DEPTH)
        return [
            {
                "recall@10": float(np.mean(hits10[s])),
                "recall@100": float(np.mean(hits100[s])),
                "empty-handed": float(np.mean(np.array(hits10[s]) == 0)),
                "ms": 1e3 * statistics.median(times[s][warm:]),
                "queries": queries,
            }
            for s in range(len(statements))
        ]

    def plain(self, column, limit=DEPTH):
        w = f"(SELECT {column} FROM queries WHERE id = %(i)s)"
        return f"SELECT id FROM items ORDER BY embedding <#> {w} LIMIT {limit}"

    def arguments(self, column):
        given = ARGUMENTS[column]
        for vector in "xqm":
            given = given.replace(f"=> {vector}", f"=> (SELECT {vector} FROM queries WHERE id = %(i)s)")
        return f"'items', 'embedding', {given}"

    def whole(self, column, limit=20):
        return f"SELECT id FROM items ORDER BY embedding <#> hinted_exemplar({self.arguments(column)}) LIMIT {limit}"

    def fit(self, column):
        return f"SELECT hinted_exemplar({self.arguments(column)})"

    def search(self, column, k=20):
        return (f"SELECT id FROM hinted_exemplar_search({self.arguments(column)}, k => {k}) s "
                "JOIN items ON items.ctid = s.ctid ORDER BY s.distance, s.ctid")

    def index(self, definition):
        self.run("RESET ALL")
        self.run("DROP INDEX IF EXISTS searched")
        self.run("SET maintenance_work_mem = '1GB'")
        started = time.perf_counter()
        self.run(f"CREATE INDEX searched ON items USING {definition}")
        return time.perf_counter() - started


def indexes(rows, queries):
    """Name, definition, settings to measure it with, and how many queries."""
    few = max(queries // 5, 5)
    hnsw = [[f"hnsw.ef_search = {ef}"] for ef in EF_SEARCH]
    modes = [["hnsw.ef_search = 40", f"hnsw.iterative_scan = {mode}"] for mode in ("strict_order", "relaxed_order")]
    yield "hnsw, m 16, ef_construction 64", hnsw_of(16, 64), hnsw + modes, queries
    for m, ef in ((16, 200), (32, 64), (32, 200)):
        yield f"hnsw, m {m}, ef_construction {ef}", hnsw_of(m, ef), [hnsw[0], hnsw[2]], few
    lists = round(rows**0.5)
    probes = [[f"ivfflat.probes = {p}"] for p in (1, round(lists**0.5), lists // 4)]
    modes = [["ivfflat.probes = 1", "ivfflat.iterative_scan = relaxed_order"]]
    yield f"ivfflat, {lists} lists", f"ivfflat (embedding vector_ip_ops) WITH (lists = {lists})", probes + modes, few


def hnsw_of(m, ef):
    return f"hnsw (embedding vector_ip_ops) WITH (m = {m}, ef_construction = {ef})"


class Tables:
    """Markdown on standard output and in a file, and all figures as JSON."""

    def __init__(self, directory):
        self.directory, self.lines, self.figures = directory, [], []

    def line(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def row(self, cells, figures):
        of = f"{figures['recall@10']:.3f} | {figures['recall@100']:.3f} | {1000 * figures['empty-handed']:.0f}"
        self.line(f"| {' | '.join(cells)} | {of} | {figures['ms']:.2f} |")

    def keep(self, **figures):
        self.figures.append(figures)
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "recall.json").write_text(json.dumps(self.figures, indent=1))
        (self.directory / "recall.md").write_text("\n".join(self.lines) + "\n")


def measure(bench, tables, queries):
    data = bench.data
    for name, definition, settings, count in indexes(len(data.items), bench.queries):
        seconds = bench.index(definition)
        tables.line(f"\n## {data.name}, {len(data.items)} rows: {name} ({seconds:.0f} s, {count} queries)\n")
        tables.line("| query | how | recall@10 | recall@100 | empty-handed of 1000 | ms |\n|---|---|---|---|---|---|")
        common = {"data": data.name, "index": name}
        for kind, column in KINDS.items():
            for setting in settings:
                figures = bench.measure(column, setting, [bench.plain(column)], count)[0]
                how = ", ".join(part.split(".")[1].replace(" = ", " ") for part in setting)
                tables.row([kind, how], figures)
                tables.keep(**common, query=kind, how=how, **figures)
        for kind, column in KINDS.items():
            if column not in ARGUMENTS:
                continue
            found = bench.measure(column, [], [bench.search(column)], count)[0]
            tables.row([kind, "hinted_exemplar_search, k 20"], found)
            tables.keep(**common, query=kind, how="hinted_exemplar_search, k 20", **found)
            hundred = bench.measure(column, [], [bench.search(column, DEPTH)], max(count // 5, 5))[0]
            tables.row([kind, "hinted_exemplar_search, k 100"], hundred)
            tables.keep(**common, query=kind, how="hinted_exemplar_search, k 100", **hundred)
        latency(bench, tables, common, max(count // 5, 5))
    bench.index(hnsw_of(16, 64))
    filtered(bench, tables, max(bench.queries // 5, 5))


def latency(bench, tables, common, count):
    """Whole statements in turns: the fit alone, the plain search, which runs it too, and hinted_exemplar_search."""
    tables.line("\n| query | fit, ms | with plain search, LIMIT 20 | with hinted_exemplar_search | ratio | ratio without the fit |\n"
                "|---|---|---|---|---|---|")
    for kind, column in KINDS.items():
        if column in ARGUMENTS:
            statements = [bench.fit(column), bench.whole(column), bench.search(column)]
            fit, plain, search = (figures["ms"] for figures in bench.measure(column, [], statements, count))
            ratio, without = search / plain, (search - fit) / max(plain - fit, 0.01)
            tables.line(f"| {kind} | {fit:.2f} | {plain:.2f} | {search:.2f} | {ratio:.2f} | {without:.2f} |")
            tables.keep(**common, query=kind, how="latency", fit=fit, plain=plain, search=search)


def filtered(bench, tables, count):
    """The exact scans, and how many rows come back under a condition."""
    tables.line("\n| what | rows of 20 | ms |\n|---|---|---|")
    column = "hinted"
    w = f"(SELECT {column} FROM queries WHERE id = %(i)s)"
    classes = int(bench.data.labels.max()) + 1
    exact = f"SELECT id FROM items ORDER BY (embedding <#> {w}) + 0 LIMIT 20"
    below = [("a tenth of the rows", classes // 10), ("one class", 1)]
    off = ["enable_indexscan = off", "enable_seqscan = on"]
    wide = ["enable_indexscan = off", "enable_seqscan = on", "min_parallel_table_scan_size = 0", "parallel_setup_cost = 0",
            "parallel_tuple_cost = 0", "max_parallel_workers_per_gather = 2"]
    cases = [("exact scan, one process", exact, [*off, "max_parallel_workers_per_gather = 0"]), ("exact scan, 3 processes", exact, wide)]
    for what, limit in below:
        plain = f"SELECT id FROM items WHERE class BETWEEN 0 AND {limit - 1} ORDER BY embedding <#> {w} LIMIT 20"
        search = bench.search(column).replace("k => 20", f"k => 20, filter => 'class BETWEEN 0 AND {limit - 1}'")
        cases += [(f"plain, WHERE {what}", plain, []),
                  (f"the same, iterative_scan relaxed_order", plain, ["hnsw.iterative_scan = relaxed_order"]),
                  (f"hinted_exemplar_search, filter {what}, with the fit", search, [])]
    for what, statement, settings in cases:
        bench.run("RESET ALL")
        for setting in ["jit = off", "enable_seqscan = off", *settings]:
            bench.run(f"SET {setting}")
        rows, times = [], []
        for i in range(min(count, 50)):
            started = time.perf_counter()
            rows.append(len(bench.connection.execute(statement, {"i": i}, prepare=False).fetchall()))
            times.append(time.perf_counter() - started)
        tables.line(f"| {what} | {np.mean(rows):.1f} | {1e3 * statistics.median(times):.2f} |")
        tables.keep(data=bench.data.name, how=what, rows=float(np.mean(rows)), ms=1e3 * statistics.median(times))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("sets", nargs="+")
    options = parser.parse_args()
    tables = Tables(options.output)
    for folders in options.sets:
        data = DataSet([pathlib.Path(folder) for folder in folders.split("+")])
        measure(Bench(data, options.queries), tables, options.queries)


main()
