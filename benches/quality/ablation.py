"""What each part of the adaptive objective is worth: mAP of one exemplar and one hint with the part left out or changed.

usage: python benches/quality/ablation.py DATA_DIRECTORY [QUERIES_PER_SET]        needs numpy, scipy

The fits are those of tests/reference/adaptive.py, which the extension's own are tested against; parts can't be left out in SQL.
"""

import pathlib
import sys
from functools import partial

import numpy as np

import dataset
from measures import average_precision

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests" / "reference"))
import adaptive  # noqa: E402

SAMPLE = 1000
ORACLE = (0.15, 0.25, 0.4, 0.7, 1.0)

VARIANTS = {
    "as it is": {},
    "with a neutral text": {"with_neutral": True},
    "text not whitened": {"whitening": lambda q, cov, ridge: q},
    "every hint fully trusted": {"trust": lambda z, r, a, t: 1.0},
    "trust by the exemplars alone": {"trust": lambda z, r, a, t: adaptive.trust(z, 1.0, 1.0, 0.0)},
    "trust without the agreement": {"trust": lambda z, r, a, t: adaptive.trust(z, r, 1.0, t)},
    "generic hints trusted alike": {"trust": lambda z, r, a, t: adaptive.trust(z, r, a, 0.0)},
    "not smoothed": {"smooth": lambda w, rows, xc: w},
    "background not cleared, nothing added": {"cleared": adaptive.uncleared},
    "background cleared, nothing added": {"strength": 0},
    "exemplar and hint confirm nothing": {"cleared": partial(adaptive.cleared, confirming=lambda g: 0.0)},
    "the whole upper part dropped": {"least_discount": 1.0},
    "half of the exemplar's share": {"share": 0.325},
    "twice the exemplar's share": {"share": 1.3},
    "a quarter of the pull": {"pull_factor": 1},
    "four times the pull": {"pull_factor": 16},
    "no fit: the hint and the centred exemplar, weighted alike": {"fitted": False},
    "no hint": {"hinted": False},
}


def answer(x, q, background, neutral, fitted=True, hinted=True, with_neutral=False, **changed):
    none = np.zeros((0, len(x)))
    if not fitted:
        centred = x - background.mean(0)
        spread = (background - background.mean(0)) @ np.stack([centred, q], 1)
        own, hint = spread.std(0)
        agreed = adaptive.agreement(background @ x, background @ q)
        g = adaptive.trust(centred @ q / hint, hint * np.linalg.norm(centred) / own, agreed, adaptive.generic(background, q))
        return g * q / hint + 0.65 * centred / own
    one = np.ones(1)
    return adaptive.fit(x[None], one, none, np.zeros(0), background, hint=q if hinted else None,
                        neutral=neutral if with_neutral else None, tol=1e-7, **changed)[0]


def measure(folder, count):
    data = dataset.load(folder)
    queries = data.queries(count)
    rng = np.random.default_rng(dataset.SEED)
    neutral = data.neutrals[data.neutral].astype(float)
    scores = {name: [] for name in [*VARIANTS, *ORACLE]}
    for query in queries[:count]:
        x, q = data.rows[query.exemplar].astype(float), data.hints[query.label].astype(float)
        background = data.database_rows[rng.permutation(len(data.database))[:SAMPLE]].astype(float)
        centred = dataset.unit(x - background.mean(0))
        vectors = {name: answer(x, q, background, neutral, **changed) for name, changed in VARIANTS.items()}
        vectors |= {weight: q + weight * centred for weight in ORACLE}
        ranked = np.stack([data.database_rows @ w.astype(np.float32) for w in vectors.values()])
        wanted = np.full(len(ranked), query.label)
        for name, ap in zip(vectors, average_precision(ranked, data.database_labels, wanted), strict=True):
            scores[name].append(ap)
    means = {name: float(np.mean(found)) for name, found in scores.items()}
    oracle = max(means[weight] for weight in ORACLE)
    print(f"    {data.name}: {len(scores['as it is'])} queries", file=sys.stderr, flush=True)
    return {name: means[name] / oracle for name in VARIANTS}


def main():
    directory, count = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60
    ratios = [measure(folder, count) for folder in dataset.find(directory)]
    print("| mAP / best centred sum in hindsight | mean of the sets | worst set |\n|---|---|---|")
    for name in VARIANTS:
        found = [ratio[name] for ratio in ratios]
        print(f"| {name} | {np.mean(found):.3f} | {min(found):.3f} |")


main()
