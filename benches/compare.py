"""Times this project's fit beside scikit-learn's LinearSVC on the same rows, in one run.

usage: python compare.py SOLVE_PROGRAM        needs numpy, scikit-learn; scripts/bench.sh provides both

Rows are unit vectors round a common mean with a falling spectrum, as embeddings are. LinearSVC solves the same problem
without a hint: C = 1 / (2 lambda), balanced classes, tol 1e-6. Its bias is penalised, ours is not, so its objective is
evaluated as ours is, at its own w and b.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from sklearn.svm import LinearSVC

RUNS = 21


def rows(n, d, seed=1):
    rng = np.random.default_rng(seed)
    spectrum = np.arange(1, d + 1) ** -0.4
    mean = rng.normal(size=d) * spectrum
    X = mean + rng.normal(size=(n, d)) * spectrum
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)


def objective(X, y, w, b):
    s = np.where(y > 0, len(y) / 2, len(y) / (2 * (len(y) - 1)))
    return 0.5 * (s * np.maximum(1 - y * (X @ w + b), 0) ** 2).sum() + 0.5 * w @ w


def linear_svc(X, y):
    times = []
    for _ in range(RUNS if len(X) * X.shape[1] < 10**6 else 5):
        start = time.perf_counter()
        svc = LinearSVC(C=0.5, class_weight="balanced", tol=1e-6, max_iter=100000).fit(X, y)
        times.append(1e3 * (time.perf_counter() - start))
    return np.median(times), objective(X.astype(np.float64), y, svc.coef_[0], svc.intercept_[0])


def main(program):
    print("| n x d | this fit, ms | with hint, ms | LinearSVC, ms | LinearSVC / this fit | objective, this fit | objective, LinearSVC |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for n, d in [(300, 512), (1000, 128), (1000, 384), (1000, 512), (1000, 1536), (3000, 512)]:
        X = rows(n + 2, d)
        with tempfile.TemporaryDirectory() as place:
            file = pathlib.Path(place) / "rows"
            X.tofile(file)
            out = subprocess.run([program, str(file), str(n), str(d)], check=True, capture_output=True, text=True).stdout
        ours = {line["fit"]: line for line in map(json.loads, out.splitlines())}
        assert all(line["converged"] for line in ours.values())
        ms, J = linear_svc(X[: n + 1], np.r_[1.0, -np.ones(n)])
        plain, hinted = ours["plain"], ours["hinted"]
        print(f"| {n} x {d} | {plain['ms']:.2f} ({plain['passes']} passes) | {hinted['ms']:.2f} ({hinted['passes']} passes) "
              f"| {ms:.1f} | {ms / plain['ms']:.1f} | {plain['objective']:.6f} | {J:.6f} |", flush=True)


main(sys.argv[1])
