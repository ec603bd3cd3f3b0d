"""Writes a small data set for the measure of search quality: needs NumPy.

usage: python synthetic_set.py DIRECTORY

Classes are clusters round their own direction; hints point there too, with something in common that rows don't have.
"""

import json
import pathlib
import sys

import numpy as np

CLASSES, MEMBERS, STRAYS, DIMENSIONS = 6, 30, 60, 16


def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def main(directory):
    rng = np.random.default_rng(1)
    folder = directory / "synthetic_model"
    folder.mkdir()
    centres = unit(rng.normal(size=(CLASSES, DIMENSIONS)))
    labels = np.r_[np.repeat(np.arange(CLASSES), MEMBERS), np.full(STRAYS, -1)]
    around = np.where(labels[:, None] >= 0, centres[labels], 0)
    common = unit(rng.normal(size=DIMENSIONS))
    hints = unit(centres + common + 0.2 * rng.normal(size=centres.shape))
    hinted = np.arange(CLASSES) < CLASSES - 1
    np.save(folder / "items.npy", unit(around + 0.3 * rng.normal(size=around.shape)).astype(np.float16))
    np.save(folder / "labels.npy", labels.astype(np.int32))
    np.save(folder / "hints.npy", (hints * hinted[:, None]).astype(np.float16))
    np.save(folder / "has_hint.npy", hinted)
    np.save(directory / "neutral_model.npy", common.astype(np.float32))
    (folder / "classes.json").write_text(json.dumps([f"class {c}" for c in range(CLASSES)]))


main(pathlib.Path(sys.argv[1]))
