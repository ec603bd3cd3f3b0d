"""The fit from Python beside scikit-learn's LinearSVC, on the same rows in the same process; prints a table.

usage: python from_python.py        (NS="300 1000" DS="128 512" chooses sizes, RUNS=5 takes fewer runs)

Both are called as a user calls them, on float32 arrays that are in memory, each on one thread; the times are the processor's and hold what
Python and the conversions cost. Fits take turns, so that a machine that slows down slows both. `cosine` is LinearSVC's own problem, as in compare.py; `fit` and `hint` are the defaults.
"""
import time

import hinted_exemplar
import numpy as np
from compare import DS, NS, RUNS, cosine, rows
from sklearn.svm import LinearSVC


def in_turns(calls):
    """The median of each call's processor times in ms, behind a first round that is not counted, and what each returned last."""
    times, answers = {name: [] for name in calls}, {}
    for _ in range(RUNS + 1):
        for name, call in calls.items():
            start = time.process_time()
            answers[name] = call()
            times[name].append(1e3 * (time.process_time() - start))
    return {name: float(np.median(taken[1:])) for name, taken in times.items()}, answers


def measure(n, d):
    X = rows(n + 2, d)
    exemplar, negatives, hint = X[:1], X[1 : n + 1], X[n + 1]
    both, labels = X[: n + 1], np.r_[1.0, -np.ones(n)]
    svc = LinearSVC(C=0.5, class_weight="balanced", tol=1e-6, max_iter=100000, dual=True)
    ms, answers = in_turns({
        "LinearSVC": lambda: svc.fit(both, labels),
        "cosine": lambda: hinted_exemplar.fit(exemplar, negatives, objective="cosine"),
        "fit": lambda: hinted_exemplar.fit(exemplar, negatives),
        "hint": lambda: hinted_exemplar.fit(exemplar, negatives, hints=hint),
    })
    theirs = answers["LinearSVC"]
    J = cosine(both.astype(np.float64), labels, theirs.coef_[0].astype(np.float64), theirs.intercept_[0])
    return ms, J / answers["cosine"].objective_value


def main():
    print("| rows x dimensions, from Python | LinearSVC, ms | cosine form, ms | LinearSVC / that | its J / that's J | fit, ms | LinearSVC / that "
          "| fit with hint, ms | LinearSVC / that |")
    print("|---|---|---|---|---|---|---|---|---|")
    for n in NS:
        for d in DS:
            ms, ratio = measure(n, d)
            times = [ms["LinearSVC"] / ms[name] for name in ("cosine", "fit", "hint")]
            print(f"| {n} x {d} | {ms['LinearSVC']:.1f} | {ms['cosine']:.2f} | {times[0]:.1f} | {ratio:.3f} | {ms['fit']:.2f} | {times[1]:.1f} "
                  f"| {ms['hint']:.2f} | {times[2]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
