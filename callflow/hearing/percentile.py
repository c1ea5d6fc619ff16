"""np.percentile for a few values: it takes ten times as long for so few."""

from typing import Any

import numpy as np
import numpy.typing as npt


def percentile(values: npt.NDArray[Any], percent: float) -> float:
    """The value below which so many percent of them lie, on a straight line between two of them."""
    ordered = np.sort(values)
    below, between = divmod(percent / 100 * (ordered.size - 1), 1)
    least, next_one = ordered[int(below)], ordered[min(int(below) + 1, ordered.size - 1)]
    return float(least) + between * float(next_one - least)
