"""Measures search quality through SQL; scripts/quality.sh prepares the cluster and calls it.

usage: python benches/quality DATA_DIRECTORY OUTPUT_DIRECTORY [--scenarios "a b ..."] [--cap N] [--update README]
"""

import argparse
import json
import pathlib
import re
import sys
import time

import numpy as np

import dataset
import figure
import goals
import main_table
import report
import scenarios
from database import Database, progress
from measures import average_precision

CAP = 80
SCENARIO_CAP = 30
ALL = ("a", *scenarios.SCENARIOS)


def arguments():
    parser = argparse.ArgumentParser(prog="quality")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--scenarios", default=list(ALL), type=str.split)
    parser.add_argument("--cap", type=int, default=CAP, help="most queries of a data set")
    parser.add_argument("--scenario-cap", type=int, default=SCENARIO_CAP, help="most queries of it in the others")
    parser.add_argument("--update", type=pathlib.Path, help="README whose table is rewritten")
    given = parser.parse_args()
    unknown = set(given.scenarios) - set(ALL)
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    return given


def main():
    given = arguments()
    folders = dataset.find(given.data)
    if not folders:
        sys.exit(f"no data set in {given.data}: benches/quality/README.md says what one looks like")
    given.out.mkdir(parents=True, exist_ok=True)
    since = time.monotonic()
    run = Run(given)
    for number, folder in enumerate(folders, 1):
        print(f"==> {folder.name} ({number} of {len(folders)}), {time.monotonic() - since:.0f} s", file=sys.stderr)
        run.measure(folder)
        run.write()
    print(run.markdown())
    print(f"    all in {time.monotonic() - since:.0f} s", file=sys.stderr)
    if given.update:
        run.update(given.update)


class Run:
    def __init__(self, given):
        self.given = given
        self.results, self.aps = {}, {}
        self.tables = {letter: {} for letter in scenarios.SCENARIOS if letter in given.scenarios}

    def measure(self, folder):
        data = dataset.load(folder)
        check_protocol(data, folder.parent / "README.md")
        database = Database(data)
        if "a" in self.given.scenarios:
            self.results[data.name], self.aps[data.name] = one_exemplar(data, database, self.given.cap)
        for letter, tables in self.tables.items():
            cap = self.given.cap if letter in scenarios.MORE_QUERIES else self.given.scenario_cap
            tables[data.name] = scenarios.run(letter, data, database, cap)

    def markdown(self):
        parts = ["# Search quality"]
        if self.results:
            parts.append(report.main_section(self.results, self.aps))
        for letter, per_set in self.tables.items():
            parts.append(report.scenario_section(letter, scenarios.SCENARIOS[letter][0], per_set))
        if found := goals.all_goals(self.results, self.tables):
            parts.append(report.goals_section(found))
        return "\n\n".join(parts) + "\n"

    def write(self):
        out = self.given.out
        everything = {"one_exemplar": self.results, "scenarios": self.tables}
        everything["goals"] = [vars(goal) for goal in goals.all_goals(self.results, self.tables)]
        if self.results:
            everything["overall"] = report.overall(self.results)
            (out / "quality.svg").write_text(figure.draw(self.results))
        (out / "results.json").write_text(json.dumps(everything, indent=1, default=float) + "\n")
        (out / "results.md").write_text(self.markdown())

    def update(self, readme):
        if not self.results:
            sys.exit("the README's table needs scenario a")
        if report.BEGIN in readme.read_text():
            report.insert(readme, self.results)
        place = readme.parent / "benches/quality"
        (place / "quality.svg").write_text(figure.draw(self.results))
        (place / "RESULTS.md").write_text(self.markdown())


def one_exemplar(data, database, cap):
    bench = main_table.Bench(data, database, cap)
    aps, chosen, sql_difference = main_table.measure(bench)
    agree("the aggregate average_precision", sql_difference, 1e-4)
    qdrant_difference = main_table.check_qdrant(bench)
    if qdrant_difference is not None:
        agree("Qdrant's local mode", qdrant_difference, 1e-3)
    result = {
        "queries": len(bench.queries),
        "classes": len(set(bench.labels.tolist())),
        "database": len(data.database),
        "neutral": data.neutral,
        "chosen": chosen,
        "methods": main_table.summary(aps),
        "differences": main_table.differences(aps),
    }
    return result, aps


def agree(what, difference, tolerance):
    progress(f"AP against {what}: largest difference {difference:.1e}")
    if difference > tolerance:
        sys.exit(f"error: the AP differs from {what}")


def check_protocol(data, listing):
    """The mAP of exemplar, hint and their sum over all queries, against the figures that `listing` has, if any."""
    queries = data.queries()
    X = data.rows[[q.exemplar for q in queries]]
    labels = np.array([q.label for q in queries])
    Q = data.hints[labels]
    database = data.database_rows
    figures = [float(average_precision(w @ database.T, data.database_labels, labels).mean()) for w in (X, Q, X + Q)]
    listed = listed_figures(data.name, listing)
    text = "exemplar {:.4f}, hint {:.4f}, sum {:.4f}".format(*figures)
    progress(f"{data.name}: {len(queries)} queries of the protocol: {text}{', as listed' if listed else ''}")
    if listed and max(abs(a - b) for a, b in zip(figures, listed)) > 2e-4:
        sys.exit(f"error: {listing} lists other figures: {listed}")


def listed_figures(name, listing):
    if not listing.exists():
        return None
    number = r"\s*([0-9.,]+)\s*\|"
    found = re.search(rf"^\| {re.escape(name)} \|{number * 7}$", listing.read_text(), re.MULTILINE)
    return [float(found[i]) for i in (5, 6, 7)] if found else None


if __name__ == "__main__":
    main()
