"""The solver beside scikit-learn's LinearSVC and SciPy's L-BFGS on the same rows: writes rows, has benches/solve.rs time itself on
them, times the others, and prints one table as tab-separated lines.

usage: python compare.py ROWS_DIRECTORY CRITERION_DIRECTORY COMMAND...     COMMAND runs benches/solve.rs with BENCH_ROWS set

Rows are unit vectors round a common mean with a falling spectrum, as embeddings are. LinearSVC, as in the cosine notebook
(LIBLINEAR's dual, tol 1e-6, balanced classes), solves the cosine problem without a hint; its bias is penalised, ours is not, so
its objective is evaluated as ours is, at its own w and b. L-BFGS, with SciPy's own tolerances and the rows as float64, minimises
the same J as this fit does, whose weighing of the hint it is given for nothing.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
from scipy.optimize import minimize
from sklearn.svm import LinearSVC

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests" / "reference"))
import adaptive  # noqa: E402

NS = [int(n) for n in os.environ.get("NS", "300 1000 3000 10000").split()]
DS = [int(d) for d in os.environ.get("DS", "128 384 512 1536 4096").split()]
# Of what is compared with, behind a first one that is not counted.
RUNS = int(os.environ.get("RUNS", "21"))


def rows(n, d, seed=1):
    rng = np.random.default_rng(seed)
    spectrum = np.arange(1, d + 1) ** -0.4
    mean = rng.normal(size=d) * spectrum
    X = mean + rng.normal(size=(n, d)) * spectrum
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)


def timed(run):
    """The median of the times in ms, and what the last run returned."""
    answer, times = run(), []
    for _ in range(RUNS):
        start = time.perf_counter()
        answer = run()
        times.append(1e3 * (time.perf_counter() - start))
    return np.median(times), answer


def cosine(X, y, w, b):
    s = np.where(y > 0, len(y) / 2, len(y) / (2 * (len(y) - 1)))
    return 0.5 * (s * np.maximum(1 - y * (X @ w + b), 0) ** 2).sum() + 0.5 * w @ w


def linear_svc(X, y):
    svc = LinearSVC(C=0.5, class_weight="balanced", tol=1e-6, max_iter=100000, dual=True)
    ms, _ = timed(lambda: svc.fit(X, y))
    return ms, cosine(X.astype(np.float64), y, svc.coef_[0].astype(np.float64), svc.intercept_[0])


def l_bfgs(X, n, hint):
    P, B, one = X[:1], X[1 : n + 1], np.ones(1)
    J, _ = adaptive.objective(P, one, X[:0], one[:0], B, X[n + 1] if hint else None, [], None, "squared_hinge")
    start = np.zeros(X.shape[1] + 1)
    ms, best = timed(lambda: minimize(J, start, jac=True, method="L-BFGS-B", options=dict(maxiter=10000, maxfun=20000)))
    return ms, best.fun


def main(directory, criterion, command):
    directory = pathlib.Path(directory)
    sizes = [(n, d) for n in NS for d in DS]
    for n, d in sizes:
        rows(n + 2, d).tofile(directory / f"{n}x{d}")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"BENCH_ROWS": str(directory)})
    found = {tuple(line.split()[:2]): line.split()[2:] for line in (directory / "found").read_text().splitlines()}
    ours = lambda case, size: json.loads((pathlib.Path(criterion) / "fit" / case / size / "new" / "estimates.json").read_text())["median"]["point_estimate"] / 1e6
    print(*"n d memory cosine cosine_J plain plain_J hinted hinted_J passes svc svc_J lbfgs lbfgs_J lbfgs_hint lbfgs_hint_J".split(), sep="\t", flush=True)
    for n, d in sizes:
        size = f"{n}x{d}"
        X = np.fromfile(directory / size, np.float32).reshape(-1, d)
        svc = linear_svc(X[: n + 1], np.r_[1.0, -np.ones(n)])
        wide = X.astype(np.float64)
        plain, hinted = l_bfgs(wide, n, False), l_bfgs(wide, n, True)
        cells = [ours("memory", size)]
        for case in ["cosine", "plain", "hinted"]:
            cells += [ours(case, size), float(found[case, size][0])]
        cells += [int(found["hinted", size][1]), *svc, *plain, *hinted]
        print(n, d, *cells, sep="\t", flush=True)
        (directory / size).unlink()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
