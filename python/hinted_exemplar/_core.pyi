from typing import Any

import numpy as np
import numpy.typing as npt

__version__: str

def fit(
    *,
    negatives: npt.NDArray[np.float32],
    exemplars: npt.NDArray[np.float32] | None,
    exemplar_weights: npt.NDArray[np.float64] | None,
    counter_exemplars: npt.NDArray[np.float32] | None,
    counter_exemplar_weights: npt.NDArray[np.float64] | None,
    reasons: list[npt.NDArray[np.float32] | None],
    hints: npt.NDArray[np.float32] | None,
    counter_hints: npt.NDArray[np.float32] | None,
    neutral_hints: npt.NDArray[np.float32] | None,
    parameters: dict[str, Any],
) -> dict[str, Any]: ...
