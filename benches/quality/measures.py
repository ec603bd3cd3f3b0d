"""Average precision, and how sure its differences are."""

import numpy as np

RESAMPLES = 2000
CHUNK = 64


def average_precision(scores, labels, wanted, excluded=None):
    """For each row of `scores` over the database: the AP of its ranking, without its `excluded` row, where one is.

    As that of the aggregate average_precision it is 0 where nothing is relevant.
    """
    scores = np.array(scores, np.float32)
    labels, wanted = np.asarray(labels), np.asarray(wanted)
    if excluded is not None:
        scores[np.arange(len(scores)), excluded] = -np.inf
    return np.concatenate([chunk_ap(scores[i : i + CHUNK], labels, wanted[i : i + CHUNK]) for i in steps(scores)])


def steps(scores):
    return range(0, len(scores), CHUNK)


def chunk_ap(scores, labels, wanted):
    order = np.argsort(-scores, axis=1, kind="stable")
    hits = labels[order] == wanted[:, None]
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return (precision * hits).sum(1) / np.maximum(hits.sum(1), 1)


def interval(differences, seed=0):
    """The mean of paired differences with its 95 % bootstrap interval over queries."""
    rng = np.random.default_rng(seed)
    picks = rng.integers(len(differences), size=(RESAMPLES, len(differences)))
    low, high = np.percentile(differences[picks].mean(1), [2.5, 97.5])
    return float(differences.mean()), float(low), float(high)


def pooled_interval(per_set, seed=0):
    """The same for the mean over data sets of their means: queries are drawn within each set."""
    rng = np.random.default_rng(seed)
    means = [d[rng.integers(len(d), size=(RESAMPLES, len(d)))].mean(1) for d in per_set]
    low, high = np.percentile(np.mean(means, axis=0), [2.5, 97.5])
    return float(np.mean([d.mean() for d in per_set])), float(low), float(high)
