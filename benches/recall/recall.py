"""How many of the true neighbours an index finds, by kind of query: plain scans and hinted_exemplar_search.

usage: python recall.py OUTPUT_DIR [--queries N] [--sizes 0,200000] [--indexes NAME,...] [--dimensions N] FOLDER[+FOLDER...] ...

Each argument is a folder of items.npy, labels.npy, hints.npy and has_hint.npy, or several that are joined. A size above that of the
data is made from it: each row several times, moved by half of the difference of two others at unit length. The server is the one that the environment points to. Tables go to standard
output and, with the figures as JSON, to OUTPUT_DIR.

Recall is the share of the true ten rows; a row as near as the last of these counts as one of them. A query is empty-handed if none of
the first ten is: one that hinted_exemplar_search leaves empty-handed fails the run. Times are medians of a client's round trips on one
connection, of whole statements, fit and all; those of one line were taken in turns, query by query. `repaired` counts the queries that
took more than the first walks, and `ratio` is the median time of the others beside the plain scan's. `measured` is the mean of what the
search says of its recall, and `true` what that was of the same queries: of all rows down to the same depth, before it mended what it knew to be missed.
"""

import argparse
import json
import pathlib
import re
import statistics
import sys
import time

import numpy as np
import psycopg

SAMPLE_SEED = 13
K = 20
NOISE = 0.5  # how far a row of length 1 is moved
FIRST_WALKS = 2
GIVEN = {
    "example and hint": "exemplar => x, hint => q",
    "example alone (SVM)": "exemplar => x",
    "text alone": "hint => q",
    "generic neutral, half": "exemplar => x, hint => q, neutral_hint => g",
    "generic neutral, whole": "exemplar => x, hint => q, neutral_hint => g, neutral_fraction => 1",
    "domain neutral, half": "exemplar => x, hint => q, neutral_hint => m",
    "domain neutral, whole": "exemplar => x, hint => q, neutral_hint => m, neutral_fraction => 1",
    "text, generic neutral, half": "hint => q, neutral_hint => g",
    "text, generic neutral, whole": "hint => q, neutral_hint => g, neutral_fraction => 1",
    "text, domain neutral, half": "hint => q, neutral_hint => m",
    "text, domain neutral, whole": "hint => q, neutral_hint => m, neutral_fraction => 1",
    "counter-examples": "exemplar => x, hint => q, counter_exemplars => ARRAY[c1, c2]",
}
# Searches by the stored w of another kind of query.
STORED = {"stored w": "example and hint", "stored w, text, domain neutral, whole": "text, domain neutral, whole"}


def unit(rows):
    rows = rows.astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)


def text(vector):
    return "[" + ",".join(f"{value:.9g}" for value in vector) + "]"


def binary(labels, rows):
    """The parts of a binary copy of numbers, labels and rows."""
    d = rows.shape[1]
    lengths = [("columns", ">i2"), ("l1", ">i4"), ("id", ">i4"), ("l2", ">i4"), ("label", ">i4"), ("l3", ">i4")]
    record = np.dtype([*lengths, ("dimensions", ">i2"), ("unused", ">i2"), ("values", ">f4", (d,))])
    yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
    for first in range(0, len(rows), 4096):
        part = np.zeros(len(rows[first : first + 4096]), record)
        part["columns"], part["l1"], part["l2"], part["l3"], part["dimensions"] = 3, 4, 4, 4 + 4 * d, d
        part["id"], part["label"] = first + np.arange(len(part)), labels[first : first + 4096]
        part["values"] = rows[first : first + 4096]
        yield part.tobytes()
    yield b"\xff\xff"


class DataSet:
    """Rows, labels and a hint for each class of one or more folders, a text that says nothing and the mean of the hints."""

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
        self.domain = unit(self.hints[self.hinted].mean(axis=0))
        generic = folders[0].parent / "neutral_clip_b32.npy"
        is_clip = "clip_b32" in folders[0].name and generic.exists()
        self.generic = unit(np.load(generic)) if is_clip else self.domain

    def project(self, dimensions):
        """Rows and texts along the rows' leading principal components, at unit length again."""
        moments = self.items.T.astype(float) @ self.items
        components = np.linalg.eigh(moments)[1][:, ::-1][:, :dimensions].astype(np.float32)
        self.items, self.hints = unit(self.items @ components), unit(self.hints @ components)
        self.domain, self.generic = unit(self.domain @ components), unit(self.generic @ components)

    def enlarge(self, size):
        """Rows again, each moved by the difference of two others, until there are as many as `size`: what is added varies as rows do."""
        rng = np.random.default_rng(SAMPLE_SEED)
        given, given_labels = self.items, self.labels
        parts, labels, missing = [given], [given_labels], size - len(given)
        while missing > 0:
            moved, one, other = (rng.permutation(len(given))[:missing] for _ in range(3))
            parts.append(unit(given[moved] + NOISE * unit(given[one] - given[other])))
            labels.append(given_labels[moved])
            missing -= len(moved)
        self.items, self.labels = np.concatenate(parts), np.concatenate(labels)


class Bench:
    """One table of items and one of queries, and the weight vectors that each kind of query has."""

    def __init__(self, data, queries):
        self.data, self.truth, self.seconds = data, {}, 0.0
        self.connection = psycopg.connect(autocommit=True)
        self.notices = []
        self.connection.add_notice_handler(lambda notice: self.notices.append(notice.message_primary))
        self.load(queries)

    def run(self, sql, **values):
        return self.connection.execute(sql, values or None)

    def load(self, queries):
        data, d = self.data, self.data.items.shape[1]
        self.run("SET client_min_messages = warning")
        self.run("CREATE EXTENSION IF NOT EXISTS hinted_exemplar CASCADE")
        self.others = {row[0] for row in self.run("SELECT name FROM pg_available_extensions WHERE name IN ('vectorscale', 'vchord')")}
        for other in self.others:
            self.run(f"CREATE EXTENSION IF NOT EXISTS {other} CASCADE")
        self.run("DROP TABLE IF EXISTS items, queries")
        self.run(f"CREATE TABLE items (id int PRIMARY KEY, class int, embedding vector({d}))")
        vectors = ("x", "q", "g", "m", "c1", "c2")
        self.run(f"CREATE TABLE queries (id int PRIMARY KEY, {', '.join(f'{name} vector({d})' for name in vectors)})")
        with self.connection.cursor().copy("COPY items FROM STDIN (FORMAT binary)") as copy:
            for part in binary(data.labels, data.items):
                copy.write(part)
        self.run("VACUUM ANALYZE items")
        rng = np.random.default_rng(SAMPLE_SEED)
        rows = [i for i in rng.permutation(len(data.items)) if data.labels[i] >= 0 and data.hinted[data.labels[i]]][:queries]
        self.queries = len(rows)
        for number, i in enumerate(rows):
            q = data.hints[data.labels[i]]
            # The best wrong rows for the text, as a user would turn them down.
            others = np.flatnonzero(data.labels != data.labels[i])
            others = rng.choice(others, min(len(others), 2000), replace=False)
            wrong = others[np.argsort(-(data.items[others] @ (q + data.items[i])))[:2]]
            chosen = (data.items[i], q, data.generic, data.domain, *data.items[wrong])
            self.run(f"INSERT INTO queries VALUES (%(n)s, {', '.join(f'%({name})s' for name in vectors)})",
                     n=number, **{name: text(vector) for name, vector in zip(vectors, chosen)})
        self.run("ANALYZE queries")

    def arguments(self, kind):
        if kind in STORED:
            return "weights => w"
        return GIVEN[kind]

    def fit(self, kind):
        return f"hinted_exemplar('items', 'embedding', {GIVEN[STORED.get(kind, kind)]})"

    def weights(self, kind):
        """Fits each query's weight vector into its column, and finds the true scores and the tenth best of them."""
        fitted = STORED.get(kind, kind)
        self.run("ALTER TABLE queries DROP COLUMN IF EXISTS w")
        self.run(f"ALTER TABLE queries ADD w vector({self.data.items.shape[1]})")
        self.run("RESET ALL")
        self.run("SET client_min_messages = warning")
        self.run(f"UPDATE queries SET w = {self.fit(fitted)}")
        self.run("VACUUM queries")
        if fitted not in self.truth:
            rows = self.run("SELECT vector_send(w) FROM queries ORDER BY id")
            w = np.stack([np.frombuffer(row[0][4:], ">f4") for row in rows]).astype(np.float32)
            scores = np.concatenate([w @ part.T for part in np.array_split(self.data.items, 20)], axis=1)
            self.truth[fitted] = scores, -np.partition(-scores, 9, axis=1)[:, 9] - 1e-6
        return self.truth[fitted]

    def statements(self, kind):
        order = "w" if kind in STORED else self.fit(kind)
        given = self.arguments(kind)
        names = sorted(set(re.findall(r"\b(x|q|g|m|c1|c2|w)\b", given + " " + order)), key=len, reverse=True)
        query = "(SELECT * FROM queries WHERE id = %(i)s) query"
        # The fit is written as a user would write it, once for the whole statement.
        inner = re.sub(r"(?<![\w'])(x|q|g|m|c1|c2|w)(?![\w'])(?! =>)", r"(SELECT \1 FROM queries WHERE id = %(i)s)", order)
        assert names
        plain = f"SELECT id FROM items ORDER BY embedding <#> {inner} LIMIT {K}"
        search = (f"SELECT s.key::int FROM {query}, LATERAL hinted_exemplar_search('items', 'embedding', {given}, "
                  f"k => {K}, key => 'id') s")
        return {"plain": plain, "search": search}

    def measure(self, kind, count, settings=()):
        scores, tenth = self.weights(kind)
        self.run("RESET ALL")
        for setting in ["jit = off", "enable_seqscan = off", *settings]:
            self.run(f"SET {setting}")
        statements = self.statements(kind)
        hits, times, recalls, walks = {s: [] for s in statements}, {s: [] for s in statements}, [], []
        measured = re.compile(r"found Some\((.+)\) of the rows held out, and (\d+) rows down to a cosine of (.+)")
        self.run("SET client_min_messages = debug1")
        for i in [*range(min(3, count)), *range(count)]:
            for name, statement in statements.items():
                self.notices.clear()
                # An index of lists is read as far by a plain scan as pgvector advises; the search sets what it needs itself.
                if self.probes:
                    self.run(f"SET ivfflat.probes = {self.probes if name == 'plain' else 1}")
                started = time.perf_counter()
                rows = self.connection.execute(statement, {"i": i}, prepare=True).fetchall()
                times[name].append(time.perf_counter() - started)
                found = [row[0] for row in rows[:10]]
                hits[name].append(np.count_nonzero(scores[i, found] >= tenth[i]) / 10)
            made = [re.search(r"in (\d+) walks(, then all rows)?", notice) for notice in self.notices]
            walks += [int(match[1]) if not match[2] else 1000 for match in made if match]
            told = [match for match in map(measured.search, self.notices) if match]
            # Of one that looked at all rows in the end as well.
            recalls.append([(float(t[1]), int(t[2]) / np.count_nonzero(scores[i] >= float(t[3]) - 1e-6)) for t in told])
        self.run("SET client_min_messages = warning")
        return self.figures(count, hits, times, [pair for found in recalls[-count:] for pair in found], walks[-count:])

    @staticmethod
    def figures(count, hits, times, recalls, walks):
        figures = {}
        for name in hits:
            last = np.array(hits[name][-count:])
            figures[f"{name} recall@10"] = float(last.mean())
            figures[f"{name} empty"] = int(np.count_nonzero(last == 0))
            figures[f"{name} worst"] = float(last.min())
            figures[f"{name} ms"] = 1e3 * statistics.median(times[name][-count:])
        needed = np.array(walks) > FIRST_WALKS
        easy = np.flatnonzero(~needed)
        pairs = [(times["search"][-count:][i], times["plain"][-count:][i]) for i in easy]
        figures |= {
            "queries": count,
            "walks": float(np.mean([w for w in walks if w < 1000] or [0])),
            "scans": int(np.count_nonzero(np.array(walks) >= 1000)),
            "repaired": int(needed.sum()),
            "ratio": statistics.median(a for a, _ in pairs) / statistics.median(b for _, b in pairs) if pairs else None,
            "measured": float(np.mean([m for m, _ in recalls])) if recalls else None,
            "true": float(np.mean([t for _, t in recalls])) if recalls else None,
        }
        return figures

    def index(self, definition, workers, probes):
        self.probes = probes
        self.run("RESET ALL")
        self.run("DROP INDEX IF EXISTS searched")
        self.run("SET maintenance_work_mem = '1500MB'")
        self.run(f"SET max_parallel_maintenance_workers = {workers}")
        started = time.perf_counter()
        self.run(f"CREATE INDEX searched ON items USING {definition}")
        self.seconds = time.perf_counter() - started


def indexes(rows, available):
    """Name, definition, parallel workers and the lists that a plain scan reads, of pgvector and of what else is `available`."""
    yield "hnsw", "hnsw (embedding vector_ip_ops)", 0, None
    yield "hnsw parallel", "hnsw (embedding vector_ip_ops)", 2, None
    lists = max(round(rows**0.5), 1)
    yield "ivfflat", f"ivfflat (embedding vector_ip_ops) WITH (lists = {lists})", 0, round(lists**0.5)
    if "vectorscale" in available:
        yield "diskann", "diskann (embedding vector_ip_ops)", 0, None
    if "vchord" in available:
        yield "vchordrq", "vchordrq (embedding vector_ip_ops)", 0, None


class Tables:
    """Markdown on standard output and in a file, and all figures as JSON."""

    def __init__(self, directory):
        self.directory, self.lines, self.figures = directory, [], []

    def line(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def head(self, data, name, seconds):
        self.line(f"\n## {data.name}, {len(data.items)} rows of {data.items.shape[1]} dimensions: {name} (built in {seconds:.0f} s)\n")
        self.line("| query | plain: recall@10 | empty | ms | search: recall@10 | worst | empty | ms | walks | repaired | scans | ratio | measured | true |")
        self.line("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")

    def row(self, kind, f):
        ratio = "" if f["ratio"] is None else f"{f['ratio']:.2f}"
        measured = "|" if f["measured"] is None else f"{f['measured']:.3f} | {f['true']:.3f}"
        self.line(f"| {kind} | {f['plain recall@10']:.3f} | {f['plain empty']} | {f['plain ms']:.1f} | {f['search recall@10']:.4f} | "
                  f"{f['search worst']:.1f} | {f['search empty']} | {f['search ms']:.1f} | {f['walks']:.2f} | {f['repaired']} | {f['scans']} | {ratio} | {measured} |")

    def keep(self, **figures):
        self.figures.append(figures)
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "recall.json").write_text(json.dumps(self.figures, indent=1))
        (self.directory / "recall.md").write_text("\n".join(self.lines) + "\n")


def measure(data, tables, options):
    bench, empty = Bench(data, options.queries), 0
    chosen = options.indexes.split(",") if options.indexes else None
    for name, definition, workers, probes in indexes(len(data.items), bench.others):
        if chosen and name not in chosen:
            continue
        bench.index(definition, workers, probes)
        tables.head(data, name, bench.seconds)
        for kind in [*GIVEN, *STORED]:
            if options.kinds and kind not in options.kinds.split(";"):
                continue
            figures = bench.measure(kind, bench.queries)
            tables.row(kind, figures)
            tables.keep(data=data.name, rows=len(data.items), index=name, kind=kind, **figures)
            empty += figures["search empty"]
    return empty


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--sizes", default="0", help="0 is the data's own")
    parser.add_argument("--indexes", default="")
    parser.add_argument("--dimensions", type=int, help="fewer than the data has: along its principal components")
    parser.add_argument("--kinds", default="", help="kinds of query, with semicolons between them")
    parser.add_argument("sets", nargs="+")
    options = parser.parse_args()
    tables, empty = Tables(options.output), 0
    for folders in options.sets:
        for size in map(int, options.sizes.split(",")):
            data = DataSet([pathlib.Path(folder) for folder in folders.split("+")])
            if options.dimensions:
                data.project(options.dimensions)
            data.enlarge(size)
            empty += measure(data, tables, options)
    if empty:
        sys.exit(f"{empty} queries were left empty-handed")


main()
