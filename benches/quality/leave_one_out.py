"""What the constants of trust are worth on data they were not fitted to: each set's are fitted on the other sets.

usage: python benches/quality/leave_one_out.py DATA_DIRECTORY [QUERIES_PER_SET]        needs numpy, scipy

The fits are those of tests/reference/adaptive.py, with a given trust in the hint: the AP of every query at a few of them, for its own
class's hint and for another's. The trust that the constants give lies between two of these, and so does its AP.
"""

import pathlib
import sys

import numpy as np
from scipy.optimize import minimize

import dataset
from measures import average_precision

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests" / "reference"))
import adaptive  # noqa: E402

SAMPLE = 1000
TRUSTS = np.array([0.05, 0.15, 0.3, 0.6, 1.0])
RIGHT_COUNTS = 3.0


def measure(folder, count):
    """For each query and hint: whether it is right, z, ln r, a and 1, and the AP at each trust."""
    data = dataset.load(folder)
    rng = np.random.default_rng(dataset.SEED)
    found = []
    for query in data.queries(count)[:count]:
        x = data.rows[query.exemplar].astype(float)[None]
        background = data.database_rows[rng.permutation(len(data.database))[:SAMPLE]].astype(float)
        wrong = int(rng.choice([c for c in data.asked if c != query.label]))
        for label in (query.label, wrong):
            found.append((label == query.label, *at_each_trust(data, query, x, background, data.hints[label].astype(float))))
    print(f"    {data.name}: {len(found)} hints", file=sys.stderr, flush=True)
    return found


def at_each_trust(data, query, x, background, hint):
    seen = []

    def given(trust):
        def of(z, r, a, t):
            seen.append(adaptive.measures(z, r, a, t))
            return trust

        return of

    none = np.zeros((0, x.shape[1]))
    fits = [adaptive.fit(x, np.ones(1), none, np.zeros(0), background, hint, tol=1e-6, trust=given(g))[0] for g in TRUSTS]
    scores = np.stack([data.database_rows @ w.astype(np.float32) for w in fits])
    # What trust was asked with last in the fit of the middle trust: the background is cleared by then.
    features = seen[3 * len(seen) // len(TRUSTS) - 1]
    return np.array(features), average_precision(scores, data.database_labels, np.full(len(fits), query.label))


def value(constants, features, aps):
    """The AP of each hint at the trust that the constants give."""
    reliable = np.clip(features @ constants, -30, 30)
    trust = np.clip(0.05 + 0.95 / (1 + np.exp(-reliable)), TRUSTS[0], TRUSTS[-1])
    return np.array([np.interp(g, TRUSTS, ap) for g, ap in zip(trust, aps)])


def arrays(found):
    return np.array([f[0] for f in found]), np.stack([f[1] for f in found]), np.stack([f[2] for f in found])


def fitted(sets):
    def loss(constants):
        total = 0.0
        for right, features, aps in sets:
            ap = value(constants, features, aps) / aps[right].max(1).mean()
            total -= RIGHT_COUNTS * ap[right].mean() + ap[~right].mean()
        return total

    return minimize(loss, adaptive.TRUST, method="Nelder-Mead", options={"maxiter": 400}).x


def main():
    directory, count = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20
    folders = dataset.find(directory)
    sets = [arrays(measure(folder, count)) for folder in folders]
    everywhere = fitted(sets)
    print("| mAP | right hint: as shipped | fitted on all | on the others | wrong hint: as shipped | on all | on the others |")
    print("|---|---|---|---|---|---|---|")
    rows = []
    for i, (folder, (right, features, aps)) in enumerate(zip(folders, sets)):
        others = fitted(sets[:i] + sets[i + 1 :])
        values = [value(constants, features, aps) for constants in (adaptive.TRUST, everywhere, others)]
        rows.append([v[mask].mean() for mask in (right, ~right) for v in values])
        print(f"| {folder.name} | " + " | ".join(f"{v:.4f}" for v in rows[-1]) + " |")
    print("| mean | " + " | ".join(f"{v:.4f}" for v in np.mean(rows, axis=0)) + " |")
    print("\nconstants of z, ln r, a, max(t - 1, 0) and 1, fitted on all: " + ", ".join(f"{c:.2f}" for c in everywhere))


main()
