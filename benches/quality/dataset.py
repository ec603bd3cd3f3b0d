"""Reads a data set and lays out the evaluation protocol; README.md describes the files."""

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np

EXEMPLARS = 10
LEAST_ROWS = 10
SEED = 13


def unit(v):
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)


@dataclass(frozen=True)
class Query:
    """One exemplar, a row of the set, with the class that is looked for."""

    label: int
    exemplar: int


@dataclass
class DataSet:
    name: str
    rows: np.ndarray  # n x d, unit
    labels: np.ndarray
    classes: list
    hints: np.ndarray  # classes x d, unit or zero
    hinted: np.ndarray
    generic_neutral: np.ndarray | None

    @cached_property
    def exemplars(self):
        """Ten rows of each class that has a hint and at least ten rows."""
        rng = np.random.default_rng(SEED)
        members = {c: np.flatnonzero(self.labels == c) for c in np.flatnonzero(self.hinted)}
        return {int(c): rng.permutation(m)[:EXEMPLARS] for c, m in members.items() if len(m) >= LEAST_ROWS}

    @cached_property
    def asked(self):
        """The classes that are asked for: those with exemplars and something left to find."""
        return [c for c in self.exemplars if np.any(self.database_labels == c)]

    @cached_property
    def database(self):
        """The rows that are searched: all that are not an exemplar of any class."""
        return np.setdiff1d(np.arange(len(self.labels)), np.concatenate(list(self.exemplars.values())))

    @cached_property
    def database_rows(self):
        return self.rows[self.database]

    @cached_property
    def database_labels(self):
        return self.labels[self.database]

    @cached_property
    def mean(self):
        return self.database_rows.mean(0)

    @cached_property
    def neutrals(self):
        """Texts that say nothing: a generic one where it is at hand, and the mean of the set's own hints."""
        own = {"own": unit(self.hints[self.asked].mean(0))}
        return own if self.generic_neutral is None else {"generic": self.generic_neutral, **own}

    @property
    def neutral(self):
        """The name of the neutral text that a searcher would have at hand."""
        return next(iter(self.neutrals))

    def queries(self, cap=None):
        """The protocol's queries, as many for each class as keep them within `cap`."""
        classes, each = self.asked, EXEMPLARS
        if cap:
            each = min(EXEMPLARS, max(1, cap // len(classes)))
            if len(classes) > cap:
                classes = sorted(np.random.default_rng(SEED).choice(classes, cap, replace=False).tolist())
        return [Query(c, int(i)) for c in classes for i in self.exemplars[c][:each]]


def load(folder):
    items = np.load(folder / "items.npy").astype(np.float32)
    hints = np.load(folder / "hints.npy").astype(np.float32)
    hinted = np.load(folder / "has_hint.npy").astype(bool)
    data = DataSet(
        name=folder.name,
        rows=unit(items),
        labels=np.load(folder / "labels.npy").astype(int),
        classes=json.loads((folder / "classes.json").read_text()),
        hints=np.where(hinted[:, None], unit(hints), 0),
        hinted=hinted,
        generic_neutral=generic_neutral(folder, items.shape[1]),
    )
    if not data.asked:
        raise ValueError(f"{folder}: no class has a hint and more than {LEAST_ROWS} rows")
    return data


def generic_neutral(folder, dimensions):
    """`neutral.npy` of the set, or a `neutral_MODEL.npy` beside the sets whose names contain MODEL."""
    beside = sorted(folder.parent.glob("neutral_*.npy"))
    found = [folder / "neutral.npy"] + [f for f in beside if f.stem.removeprefix("neutral_") in folder.name]
    for file in found:
        if file.exists() and (vector := np.load(file).astype(np.float32)).shape == (dimensions,):
            return unit(vector)
    return None


def find(directory):
    """The folders below `directory` that hold a data set."""
    return sorted(f.parent for f in directory.glob("*/items.npy"))
