"""The fit on NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core

Vectors = npt.ArrayLike
PARAMETERS = {
    "lambda_": 1.0,
    "hint_weight": 1.0,
    "counter_hint_weight": 1.0,
    "neutral_fraction": 0.5,
    "expected_share": None,
    "loss": "squared_hinge",
    "objective": "adaptive",
    "tol": 1e-6,
    "max_iter": 100,
}


@dataclass(frozen=True)
class Fit:
    """A fit, explained.

    The margin of a row ``x`` is ``scale * (weights @ x / |x|) + bias``: above 0 where it is taken to be wanted, about 1 for an
    exemplar.
    """

    weights: npt.NDArray[np.float32]
    """The weight vector, of length 1 and shape (d,): rank rows by their inner product with it."""
    bias: float
    """b of the margins."""
    scale: float
    """Length of the weight vector before it was brought to length 1."""
    objective_value: float
    """J, the sum of the three terms."""
    loss_term: float
    regularization_term: float
    hint_term: float
    cosine_hint: float | None
    """Cosine of the weight vector and the hint; None without a hint."""
    hint_z: float | None
    """Standard deviations that the exemplars stand above the negatives under the hint; None without either."""
    hint_trust: float | None
    """How far the hint is believed, 0 to 1; None without a hint."""
    wanted_share: float | None
    """Which share of the negatives looks wanted; None where nothing says so."""
    cosine_counter_hints: list[float]
    cosine_exemplars: list[float]
    exemplar_margins: list[float]
    counter_exemplar_margins: list[float]
    conflicts: list[str]
    """Which inputs contradict each other, in words: the first hundred."""
    conflict_count: int
    false_negatives: list[Any]
    """The negatives that score above the lowest exemplar, the highest first: they may be wanted. Of arrays their indexes, of a
    search their keys. Of an extension's search the first hundred."""
    false_negative_margins: list[float]
    false_negative_count: int
    negatives: int
    """How many rows were negatives: those that are neither zero nor an example."""
    iterations: int
    converged: bool

    def margin(self, rows: Vectors) -> npt.NDArray[np.float64]:
        """Margins of rows of shape (n, d), or of one of shape (d,); a zero row has the bias alone."""
        rows = np.asarray(rows, np.float64)
        lengths = np.linalg.norm(rows, axis=-1)
        scores = rows @ self.weights.astype(np.float64) / np.where(lengths > 0, lengths, 1)
        return self.scale * scores + self.bias


def fit(
    exemplars: Vectors | None,
    negatives: Vectors,
    *,
    hints: Vectors | None = None,
    counter_exemplars: Vectors | None = None,
    counter_hints: Vectors | None = None,
    reasons: Sequence[npt.ArrayLike | None] | None = None,
    neutral_hints: Vectors | None = None,
    exemplar_weights: npt.ArrayLike | None = None,
    counter_exemplar_weights: npt.ArrayLike | None = None,
    **parameters: Any,
) -> Fit:
    """Fits an exemplar SVM with text hints: the same bits as SQL's ``exemplar_svm`` for the same rows.

    Each matrix has shape (rows, d), of any number type; one vector of shape (d,) is one row.

    Parameters
    ----------
    exemplars
        Rows like those that are wanted; None or empty for a fit by hints alone.
    negatives
        Rows that these are told apart from. Zero rows and examples among them are left out.
    hints
        Embeddings of texts that say what is wanted; they count as the mean of their directions.
    counter_exemplars
        Rows that are not wanted.
    counter_hints
        Embeddings of texts of what is not wanted.
    reasons
        For each of counter_exemplars the embedding of why it is not wanted, or None.
    neutral_hints
        Embeddings of texts that say nothing, such as "a photo.": what other texts share with them is removed.
    exemplar_weights, counter_exemplar_weights
        How much each counts: 2 as if given twice, 0 as if left out.
    **parameters
        lambda_, hint_weight, counter_hint_weight, neutral_fraction, expected_share, loss, objective, tol and max_iter, as in SQL.

    Raises
    ------
    ValueError
        For vectors of other dimensions, of length zero or not finite, and parameters outside their range; it names them.
    MemoryError
        If the rows do not fit into memory.
    """
    given = {
        "exemplars": exemplars,
        "counter_exemplars": counter_exemplars,
        "hints": hints,
        "counter_hints": counter_hints,
        "neutral_hints": neutral_hints,
    }
    for name in parameters:
        if name not in PARAMETERS:
            raise TypeError(f"fit() got an unexpected keyword argument {name!r}")
    matrix = _matrix("negatives", negatives)
    if matrix is None:
        matrix = np.empty((0, 0), np.float32)
    result = _core.fit(
        negatives=matrix,
        **{name: _matrix(name, value) for name, value in given.items()},
        exemplar_weights=_weights("exemplar_weights", exemplar_weights),
        counter_exemplar_weights=_weights("counter_exemplar_weights", counter_exemplar_weights),
        reasons=[None if reason is None else _vector("reasons", reason) for reason in ([] if reasons is None else reasons)],
        parameters=parameters,
    )
    return Fit(**result)


def _array(name: str, value: npt.ArrayLike, dtype: type) -> npt.NDArray[Any]:
    try:
        array = np.asarray(value, dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers, in rows of one length") from error
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite")
    return np.ascontiguousarray(array)


def _matrix(name: str, value: Vectors | None) -> npt.NDArray[np.float32] | None:
    if value is None:
        return None
    array = _array(name, value, np.float32)
    if array.size == 0:
        return None
    if array.ndim == 1:
        array = array[np.newaxis]
    if array.ndim != 2:
        raise ValueError(f"{name} must have shape (rows, d), not {array.shape}")
    return array


def _vector(name: str, value: npt.ArrayLike) -> npt.NDArray[np.float32]:
    array = _array(name, value, np.float32)
    if array.ndim != 1:
        raise ValueError(f"each of {name} must have shape (d,), not {array.shape}")
    return array


def _weights(name: str, value: npt.ArrayLike | None) -> npt.NDArray[np.float64] | None:
    return None if value is None else np.atleast_1d(_array(name, value, np.float64))
