"""Writes solutions.json: small random problems with the solutions that other solvers give for them.

usage: python solutions.py DIRECTORY_OF_REFERENCE_PY > solutions.json        needs numpy, scipy, scikit-learn

Two sources: `fit` and `hint_weight` of reference.py (L-BFGS on J), and scikit-learn's LinearSVC (LIBLINEAR) for
problems without a hint. LIBLINEAR penalises the bias, so its feature is scaled until the penalty is negligible.
"""
import json
import sys

import numpy as np
from sklearn.svm import LinearSVC

sys.path.insert(0, sys.argv[1])
import reference


def objective(P, N, w, b, lam, q=None, lam_q=0.0):
    y = np.r_[np.ones(len(P)), -np.ones(len(N))]
    slack = np.maximum(1 - y * (np.vstack([P, N]) @ w + b), 0)
    J = 0.5 * (reference.balanced(len(P), len(N)) * slack**2).sum() + 0.5 * lam * w @ w
    return J if q is None else J + lam_q * (1 - w @ q / np.linalg.norm(w))


def best_bias(P, N, w, lam):
    """The bias that reference.fit does not return: J is convex in b, found by bisection on its derivative."""
    y, s, X = np.r_[np.ones(len(P)), -np.ones(len(N))], reference.balanced(len(P), len(N)), np.vstack([P, N])
    low, high = -1e4, 1e4
    for _ in range(200):
        b = (low + high) / 2
        slope = -(s * y * np.maximum(1 - y * (X @ w + b), 0)).sum()
        low, high = (b, high) if slope < 0 else (low, b)
    return b


def rows(rng, n, d, mean):
    """Unit rows round a common mean, as embeddings are; rounded to float32 as the fit sees them."""
    return reference.unit(mean + rng.normal(size=(n, d)) / np.sqrt(d)).astype(np.float32).astype(np.float64)


def main():
    rng, cases = np.random.default_rng(7), []
    for p, n, d, lam, hinted in [(1, 40, 8, 1.0, False), (3, 60, 12, 0.3, False), (2, 30, 48, 3.0, False),
                                 (1, 40, 8, 1.0, True), (3, 60, 12, 0.3, True), (2, 30, 48, 3.0, True), (1, 80, 16, 1.0, True)]:
        mean = rng.normal(size=d) / np.sqrt(d)
        P, N = rows(rng, p, d, mean + rng.normal(size=d) / np.sqrt(d)), rows(rng, n, d, mean)
        case = dict(exemplars=P.tolist(), negatives=N.tolist(), lambda_=lam)
        if hinted:
            q = reference.unit(P.mean(0) - mean + 0.5 * rng.normal(size=d) / np.sqrt(d)).astype(np.float32).astype(np.float64)
            lam_q = float(reference.hint_weight(P.mean(0), N, q, h=2.0))
            w = reference.fit(P, N, q, lam, lam_q)
            case |= dict(source="reference", hint=q.tolist(), lambda_q=lam_q,
                         objective=objective(P, N, w, best_bias(P, N, w, lam), lam, q, lam_q))
        else:
            svc = LinearSVC(C=1 / (2 * lam), class_weight="balanced", tol=1e-10, max_iter=10**7, intercept_scaling=1e4, dual=False)
            svc.fit(np.vstack([P, N]), np.r_[np.ones(p), -np.ones(n)])
            w = svc.coef_[0]
            case |= dict(source="LinearSVC", objective=objective(P, N, w, svc.intercept_[0], lam))
        cases.append(case | dict(w=w.tolist()))
    json.dump(cases, sys.stdout, separators=(",", ":"))


main()
