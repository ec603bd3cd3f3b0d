"""Search by example and by words at once: an exemplar SVM with text hints.

``fit`` works on NumPy arrays, ``search`` on a Postgres table, with the extension hinted_exemplar or without it.
"""

from ._core import __version__
from .arrays import Fit, fit
from .database import Row, search
from .sheet import sheet

__all__ = ["Fit", "Row", "__version__", "fit", "search", "sheet"]
