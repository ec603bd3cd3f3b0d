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


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


TRUST = np.array([0.45, 1.45, 1.3, -1.0, -1.1])


def measures(z, r, a, t):
    """What the constants of trust weigh."""
    return z, np.log(r), a, max(t - 1, 0), 1.0


def trust(z, r, a, t):
    return 0.05 + 0.95 * sigmoid(TRUST @ measures(z, r, a, t))


def generic(B, q):
    """How far a text lies along the rows' mean beyond it, in standard deviations of the rows."""
    mu = B.mean(0)
    return (q @ mu - mu @ mu) / (B @ mu).std()


def confirming(g):
    """How far exemplars and a hint of this trust confirm each other."""
    return np.clip((g - 0.2) / 0.3, 0, 1)


def agreement(likeness, hint):
    """How much more often than by chance a row is among the best by both, the mean of three depths."""
    n, ln = len(hint), []
    for part in (50, 20, 10):
        m = min(max(20, n // part), n)
        best = [set(np.argsort(-s, kind="stable")[:m]) for s in (likeness, hint)]
        ln.append(np.log((len(best[0] & best[1]) + 0.5) / (m * m / n + 0.5)))
    return np.mean(ln)


def smoothed(w, B, xc):
    """w where near rows score alike: the best in the Krylov space of four steps, scaled so that xc.w stays."""
    if len(B) < 12:
        return w
    gram = B @ B.T
    np.fill_diagonal(gram, -1)
    d = B - B[gram.argmax(1)]
    A = np.eye(len(w)) + 0.1 * len(w) / np.sum(d**2) * d.T @ d
    basis = [w / np.linalg.norm(w)]
    for _ in range(3):
        v = A @ basis[-1]
        v -= np.stack(basis, 1) @ (np.stack(basis) @ v)
        basis.append(v / np.linalg.norm(v))
    V = np.stack(basis, 1)
    smooth = V @ np.linalg.solve(V.T @ A @ V, V.T @ w)
    return smooth * (xc @ w) / (xc @ smooth)


def moments(B, v, direction):
    """The scores of rows along a direction, seen from their weighted mean, and their standard deviation."""
    scores = B @ direction
    scores = scores - v @ scores / v.sum()
    return scores, np.sqrt(v @ scores**2 / v.sum())


def otsu(s):
    """The two parts with the largest variance between them: which rows are the upper one."""
    order = np.sort(s)
    parts = [s >= cut for cut in order[1:] if cut > order[0]]
    return max(parts, key=lambda up: up.mean() * (1 - up.mean()) * (s[up].mean() - s[~up].mean()) ** 2)


def drawn(B):
    """Rows by lot: by a sum of some coordinates, in two runs of 16 where there are 32 and more, that goes round many times."""
    d = B.shape[1]
    k = np.arange(d) if d < 32 else np.r_[:16, d // 32 * 16 : d // 32 * 16 + 16]
    turns = 100 * B[:, k] @ np.arange(1.0, len(k) + 1)
    return B[np.argsort(np.abs(turns - np.round(turns)), kind="stable")[:512]]


def crowding(P, weights, B):
    """The share of rows nearer to an exemplar than a typical row's nearest 32nd part of all."""
    if len(B) < 12:
        return 1 / 32
    B = drawn(B)
    gram = B[: 16 * 512 // len(B)] @ B.T
    np.fill_diagonal(gram, -2)
    part = max(1, int(np.floor(len(B) / 32 + 0.5)))
    typical = np.sort(np.sort(gram, 1)[:, -part])
    near = (P @ B.T > typical[(len(typical) - 1) // 2]).mean(1)
    return weights @ near / weights.sum()


def rank(P, weights, B):
    """How exemplars rank along the mean of the others: the geometric mean of 0.01 + the share of rows above each."""
    B = drawn(B)
    Z, X, logarithms = B - B.mean(0), P - B.mean(0), []
    for i in range(len(P)):
        others = np.delete(weights, i) @ np.delete(X, i, 0)
        logarithms.append(np.log(0.01 + (Z @ others > X[i] @ others).mean()))
    return np.exp(weights @ logarithms / weights.sum())


def by_rank(P, weights, counters, B):
    """What several exemplars tell, unless they and the counter-exemplars are many."""
    if len(B) < 12 or not 1 < len(P) <= 15 - counters:
        return 0.0
    return max(0.75 * np.sqrt(len(P) - 1) * np.log(rank(P, weights, B) / 0.08), -1.5)


def belief(c, place, kurtosis, by_rank):
    return sigmoid(7.1 + 1.33 * np.log(c + 0.02) - 2.8 * place - 1.38 * np.log(max(1, kurtosis)) + by_rank)


def cleared(P, weights, counters, B, q, expected_share, trust=trust, least_discount=0.8, confirming=confirming):
    """What the rows weigh once those that look wanted weigh less, the belief that they are, how far exemplars and hint confirm each
    other, and the exemplars with stand-ins."""
    K, x = weights.sum(), weights @ P / weights.sum()
    v, own, mass, rho, confirmed = np.ones(len(B)), x, K, 0.0, 0.0
    given = None if q is None else (agreement(B @ x, B @ q), generic(B, q))
    for round in range(3 if expected_share else 2):
        xc = own - v @ B / v.sum()
        along, spread = moments(B, v, xc)
        s, g = along / spread, 0.0
        if q is not None:
            scores, deviation = moments(B, v, q)
            z = xc @ q / deviation
            g = trust(z, deviation * np.linalg.norm(xc) / spread, *given)
            s = s + g * scores / deviation
        up = otsu(s)
        low, high = s[~up].mean(), s[up].mean()
        v = np.ones(len(B))
        if expected_share:
            rho, wanted, stand_in = 10 * expected_share**1.5, expected_share, 1.0
        else:
            if round == 0:
                place, kurtosis = 1.0, 3.0
                if q is not None:
                    confirmed = confirming(g)
                    h0, h1 = scores[~up].mean(), scores[up].mean()
                    place = 1 + g * (np.clip((z * deviation - h0) / (h1 - h0), 0, 4) - 1)
                    kurtosis = np.mean(scores**4) / np.mean(scores**2) ** 2
                rho = belief(crowding(P, weights, B), place, kurtosis, by_rank(P, weights, counters, B) if q is None else 0.0)
                wanted = confirmed * (0.02 / max(K, 1) + 0.35 * rho) + (1 - confirmed) * rho * up.mean()
                stand_in = confirmed * 0.5 / max(K, 1) + (1 - confirmed) * min(1, 2 * rho) ** 2
            discount = least_discount + (1 - least_discount) * min(1, 2 * rho)
            v -= discount * np.clip(4 * (s - low) / (high - low) - 1, 0, 1)
        top = np.argsort(-s, kind="stable")[: min(int(np.floor(wanted * len(B) + 0.5)), len(B) - 1)]
        v[top] = 0
        own, mass = x, K
        if len(top):
            own, mass = (x + stand_in * unit(B[top].mean(0))) / (1 + stand_in), (1 + stand_in) * K
    return v, rho, confirmed, own, mass


def uncleared(P, weights, counters, B, q, expected_share, trust, least_discount):
    return np.ones(len(B)), 0.0, 0.0, weights @ P / weights.sum(), weights.sum()


def objective(P, weights, C, c_weights, B, hint=None, unwanted=(), neutral=None, loss="squared_hinge", expected_share=None,
              pull_factor=4, share=0.65, whitening=whiten, trust=trust, cleared=cleared, least_discount=0.8, strength=4,
              smooth=smoothed):
    """J and its gradient, a function of (w, b), and what ranks, as a function of the w where it is least.

    What follows `expected_share` is there to be changed by benches/quality/ablation.py."""
    m = None if neutral is None else unit(neutral)
    q = None if hint is None else without(m, hint, 0.5)
    v, rho, confirmed, own, K = cleared(P, weights, len(C), B, q, expected_share, trust, least_discount)
    mu, xc = v @ B / v.sum(), own - v @ B / v.sum()
    Z = B - mu
    cov = (Z.T * v) @ Z / v.sum()
    spread_of = lambda direction: moments(B, v, direction)[1]
    spread = spread_of(xc)
    lam = pull_factor * spread**2 / (xc @ xc) / K
    pull = share * K**0.75 * (xc @ xc) / spread
    towards, push, w0, g = xc / spread * 2 / pull, 0.05, np.zeros(len(xc)), 0.0
    if hint is not None:
        deviation = spread_of(q)
        g = trust(xc @ q / deviation, deviation * np.linalg.norm(xc) / spread, agreement(B @ (weights @ P), B @ q), generic(B, q))
        white = whitening(q, cov, lam)
        white /= spread_of(white)
        towards, push = 2 * g * white / (g * max(0, xc @ white) + pull), 0.2
        w0 = towards
    if unwanted:
        r = whitening(unit(sum(without(m, u, 0.5) for u in unwanted)), cov, lam)
        least = 0.3 * spread_of(r)
        r = r - (r @ cov @ towards) / (towards @ cov @ towards) * towards
        w0 = w0 - push * spread_of(towards) * r / max(spread_of(r), least)
    mean = weights @ P / weights.sum()
    e = unit(xc)
    if not expected_share:
        e = ((1 - confirmed) * unit(mean) + confirmed * e + unit(mean - mu)) / 2
    e = e + (0 if hint is None else g * q)
    summed = rho * (1 if expected_share else confirmed + (1 - confirmed) * min(1, 2 * rho))

    def finished(w):
        w = smooth(w, B, xc)
        return w + strength * summed / weights.sum() * spread_of(w) / spread_of(e) * e

    K = weights.sum()
    half = (K + len(B)) / 2
    X = np.vstack([P, C, B])
    y = np.r_[np.ones(len(P)), -np.ones(len(C) + len(B))]
    s = half * np.r_[weights / K, 0.05 * c_weights / K, v / v.sum()]
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

    return J, finished


def fit(P, *others, tol=1e-11, **parts):
    J, finished = objective(P, *others, **parts)
    options = dict(maxiter=20000, maxfun=40000, ftol=0, gtol=tol)
    best = minimize(J, np.zeros(P.shape[1] + 1), jac=True, method="L-BFGS-B", options=options)
    return finished(best.x[:-1]), best.fun


def rows(rng, n, mean):
    """Unit rows round a common mean, as embeddings are; rounded to float32 as the fit sees them."""
    return unit(mean + rng.normal(size=(n, len(mean))) / np.sqrt(len(mean))).astype(np.float32).astype(np.float64)


def main():
    rng, cases = np.random.default_rng(11), []
    for p, c, n, d, texts, loss, expected in [(1, 0, 40, 8, "", "squared_hinge", None), (1, 0, 60, 12, "h", "squared_hinge", None),
                                              (3, 2, 60, 12, "hcn", "squared_hinge", None), (2, 3, 80, 32, "c", "squared_hinge", None),
                                              (2, 0, 50, 16, "hn", "logistic", None), (1, 2, 90, 24, "hc", "logistic", None),
                                              (1, 0, 60, 16, "h", "squared_hinge", 0.2), (2, 1, 40, 12, "", "squared_hinge", 0.5),
                                              (4, 0, 70, 16, "", "squared_hinge", None), (1, 0, 90, 16, "H", "squared_hinge", None),
                                              (3, 1, 90, 16, "H", "squared_hinge", None)]:
        mean = rng.normal(size=d) / np.sqrt(d)
        P, C, B = rows(rng, p, mean + rng.normal(size=d) / np.sqrt(d)), rows(rng, c, mean), rows(rng, n, mean)
        weights, c_weights = rng.integers(1, 4, p).astype(float), rng.integers(1, 4, c).astype(float)
        text = lambda: rows(rng, 1, mean)[0]
        hint, neutral = (text() if "h" in texts else None), (text() if "n" in texts else None)
        if "H" in texts:  # one that says what the exemplars say
            hint = unit(P.mean(0) + 0.3 * text()).astype(np.float32).astype(np.float64)
        unwanted = [text(), text()] if "c" in texts else []
        w, value = fit(P, weights, C, c_weights, B, hint, unwanted, neutral, loss, expected)
        cases.append(dict(exemplars=P.tolist(), weights=weights.tolist(), counter_exemplars=C.tolist(),
                          counter_weights=c_weights.tolist(), negatives=B.tolist(), hints=[] if hint is None else [hint.tolist()],
                          counter_hints=[u.tolist() for u in unwanted], neutral_hints=[] if neutral is None else [neutral.tolist()],
                          loss=loss, expected_share=expected, objective=value, w=w.tolist()))
    json.dump(cases, sys.stdout, separators=(",", ":"))


if __name__ == "__main__":
    main()
