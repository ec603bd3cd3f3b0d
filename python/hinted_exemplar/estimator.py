"""A scikit-learn classifier over the same fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from .arrays import fit


class ExemplarSVC(ClassifierMixin, BaseEstimator):
    """Few positives against many negatives, with text hints. Two classes; the greater label is the wanted one.

    ``decision_function`` is the margin: rows count by their direction, so it does not depend on their length.

    Parameters
    ----------
    alpha : float, default 1
        Regularization strength, in units of the rows' own spread. Larger stays nearer to the hint.
    hint_weight : float, default 1
        Weight of the hint given to ``fit``; 0 ignores it.
    loss : {"squared_hinge", "logistic"}, default "squared_hinge"
    objective : {"adaptive", "cosine"}, default "adaptive"
    tol : float, default 1e-6
    max_iter : int, default 100

    Attributes
    ----------
    classes_ : array of shape (2,)
    coef_ : array of shape (1, d); the weight vector, longer than 1
    intercept_ : array of shape (1,)
    n_iter_ : int
    """

    def __init__(
        self,
        alpha: float = 1.0,
        hint_weight: float = 1.0,
        loss: str = "squared_hinge",
        objective: str = "adaptive",
        tol: float = 1e-6,
        max_iter: int = 100,
    ) -> None:
        self.alpha = alpha
        self.hint_weight = hint_weight
        self.loss = loss
        self.objective = objective
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, *, hints: Any = None) -> ExemplarSVC:
        """Fits to rows X of shape (n, d), d at least 2, and labels y. Zero rows have no direction and are left out."""
        X, y = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) != 2:
            raise ValueError(
                f"Only binary classification is supported. The data has {len(self.classes_)} class"
                f"{'' if len(self.classes_) == 1 else 'es'}."
            )
        if X.shape[1] < 2:
            raise ValueError("rows count by their direction, and with 1 feature(s) there are only two of them")
        wanted = (y == self.classes_[1]) & X.any(axis=1)
        unwanted = y == self.classes_[0]
        parameters = self.get_params()
        parameters["lambda_"] = parameters.pop("alpha")
        result = fit(X[wanted], X[unwanted], hints=hints, **parameters)
        self.coef_ = (result.scale * result.weights.astype(np.float64))[np.newaxis]
        self.intercept_ = np.array([result.bias])
        self.n_iter_ = result.iterations
        self.fit_ = result
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Margins of shape (n,): above 0 is the wanted class."""
        check_is_fitted(self)
        return self.fit_.margin(validate_data(self, X, reset=False, dtype=np.float64))

    def predict(self, X: Any) -> np.ndarray:
        """The class of each row."""
        check_is_fitted(self)
        return self.classes_[(self.decision_function(X) > 0).astype(int)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
