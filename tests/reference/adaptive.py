"""Writes adaptive.json: small random problems with the w that an independent implementation of the adaptive form gives.

usage: python adaptive.py > adaptive.json        needs numpy, scipy

Everything is computed by its definition: the whitened text by a solve in the Krylov space of two steps, the minimum of J by
L-BFGS with the bias as one more variable.
"""
import json
import sys

import numpy as np
from scipy.optimize import minimize


def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def whiten(q, C, ridge):
    """The minimiser of the energy norm of the error over span(q, A q), which two steps of conjugate gradients find."""
    A = C + ridge * np.eye(len(q))
    basis = np.stack([q, A @ q], 1)
    return basis @ np.linalg.solve(basis.T @ A @ basis, basis.T @ q)


def without(m, v, fraction):
    return unit(v) if m is None else unit(unit(v) - fraction * (unit(v) @ m) * m)


def trust(z, skewness):
    own = max(0, 1 - 2 / (z * (1 + np.clip(2 * skewness, -0.5, 1))) ** 2) if z > 0 else 0
    return max(0.05, 1 - (1 - own) * (1 - np.clip(2 * skewness, 0, 1) * np.clip(z + 0.5, 0, 1)))


def objective(P, weights, C, c_weights, B, hint=None, unwanted=(), neutral=None, loss="squared_hinge", pull_factor=4, share=0.65,
              whitening=whiten, trust=trust):
    """J and its gradient, a function of (w, b). What follows `loss` is there to be changed by benches/quality/ablation.py."""
    m = None if neutral is None else unit(neutral)
    K, mu = weights.sum(), B.mean(0)
    Z, xc = B - mu, weights @ P / weights.sum() - mu
    cov = Z.T @ Z / len(Z)
    spread = np.sqrt(xc @ cov @ xc)
    lam = pull_factor * spread**2 / (xc @ xc) / K
    pull = share * K**0.75 * (xc @ xc) / spread
    towards, push, w0 = xc / spread * 2 / pull, 0.05, np.zeros(len(xc))
    if hint is not None:
        q = without(m, hint, 0.5)
        scores = Z @ q
        g = trust(xc @ q / scores.std(), ((scores / scores.std()) ** 3).mean())
        q = whitening(q, cov, lam)
        q /= (Z @ q).std()
        towards, push = 2 * g * q / (g * max(0, xc @ q) + pull), 0.2
        w0 = towards
    if unwanted:
        r = whitening(unit(sum(without(m, u, 0.5) for u in unwanted)), cov, lam)
        least = 0.3 * (Z @ r).std()
        r = r - (r @ cov @ towards) / (towards @ cov @ towards) * towards
        w0 = w0 - push * (Z @ towards).std() * r / max((Z @ r).std(), least)
    half = (K + len(B)) / 2
    X = np.vstack([P, C, B])
    y = np.r_[np.ones(len(P)), -np.ones(len(C) + len(B))]
    s = half * np.r_[weights / K, 0.1 * c_weights / K, np.full(len(B), 1 / len(B))]
    slack = np.r_[np.zeros(len(P)), np.ones(len(C)), np.zeros(len(B))]

    def J(v):
        margin = y * (X @ v[:-1] + v[-1]) + slack
        if loss == "logistic":
            value, slope = np.logaddexp(0, -margin), -1 / (1 + np.exp(margin))
        else:
            value, slope = np.maximum(1 - margin, 0) ** 2 / 2, -np.maximum(1 - margin, 0)
        away = v[:-1] - w0
        gradient = np.r_[X.T @ (s * y * slope) + half * lam * away, (s * y * slope).sum()]
        return (s * value).sum() + half * lam / 2 * away @ away, gradient

    return J


def fit(P, *others, tol=1e-11, **parts):
    J = objective(P, *others, **parts)
    options = dict(maxiter=20000, maxfun=40000, ftol=0, gtol=tol)
    best = minimize(J, np.zeros(P.shape[1] + 1), jac=True, method="L-BFGS-B", options=options)
    return best.x[:-1], best.fun


def rows(rng, n, mean):
    """Unit rows round a common mean, as embeddings are; rounded to float32 as the fit sees them."""
    return unit(mean + rng.normal(size=(n, len(mean))) / np.sqrt(len(mean))).astype(np.float32).astype(np.float64)


def main():
    rng, cases = np.random.default_rng(11), []
    for p, c, n, d, texts, loss in [(1, 0, 40, 8, "", "squared_hinge"), (1, 0, 60, 12, "h", "squared_hinge"),
                                    (3, 2, 60, 12, "hcn", "squared_hinge"), (2, 3, 80, 48, "c", "squared_hinge"),
                                    (2, 0, 50, 16, "hn", "logistic"), (1, 2, 90, 24, "hc", "logistic")]:
        mean = rng.normal(size=d) / np.sqrt(d)
        P, C, B = rows(rng, p, mean + rng.normal(size=d) / np.sqrt(d)), rows(rng, c, mean), rows(rng, n, mean)
        weights, c_weights = rng.integers(1, 4, p).astype(float), rng.integers(1, 4, c).astype(float)
        text = lambda: rows(rng, 1, mean)[0]
        hint, neutral = (text() if "h" in texts else None), (text() if "n" in texts else None)
        unwanted = [text(), text()] if "c" in texts else []
        w, value = fit(P, weights, C, c_weights, B, hint, unwanted, neutral, loss)
        cases.append(dict(exemplars=P.tolist(), weights=weights.tolist(), counter_exemplars=C.tolist(),
                          counter_weights=c_weights.tolist(), negatives=B.tolist(), hints=[] if hint is None else [hint.tolist()],
                          counter_hints=[u.tolist() for u in unwanted], neutral_hints=[] if neutral is None else [neutral.tolist()],
                          loss=loss, objective=value, w=w.tolist()))
    json.dump(cases, sys.stdout, separators=(",", ":"))


if __name__ == "__main__":
    main()
