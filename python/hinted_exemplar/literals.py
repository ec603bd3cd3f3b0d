"""Vectors as SQL writes them, and which arguments are vectors."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

ONE = frozenset({"exemplar", "hint", "neutral_hint"})
SEVERAL = frozenset({"exemplars", "hints", "counter_exemplars", "counter_hints", "reasons", "neutral_hints"})


def text(vector: Iterable[float] | None) -> str | None:
    """A vector as pgvector reads it, with every bit of single precision; None is null."""
    return None if vector is None else "[" + ",".join(repr(float(x)) for x in np.asarray(vector, np.float32)) + "]"
