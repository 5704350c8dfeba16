"""How one sample of a batch ended: a code in an array, and its reason in words."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


class CodedEnding(IntEnum):
    """A code with the reason it stands for; only ``CONVERGED``, 0, gives numbers to use.

    Examples
    --------
    >>> class Weather(CodedEnding):
    ...     CONVERGED = 0, "dry"
    ...     RAIN = 1, "wet"
    >>> Weather(1).reason, int(Weather.RAIN)
    ('wet', 1)
    """

    reason: str

    def __new__(cls, code: int, reason: str = "") -> Self:
        """Make a member that counts as its code."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.reason = reason
        return member


def count_reasons(
    kind: type[CodedEnding], codes: NDArray[np.int64], apart: tuple[CodedEnding, ...] = ()
) -> pd.Series:
    """Count samples without a solution, by reason.

    Parameters
    ----------
    kind
        What the codes stand for.
    codes
        Of each sample, (samples,).
    apart
        Endings that are counted elsewhere.

    Returns
    -------
    Series
        By rising code, those that occur alone.
    """
    import pandas as pd

    counts = {
        kind(code).reason: int((codes == code).sum())
        for code in np.unique(codes).tolist()
        if code != 0 and code not in apart
    }
    return pd.Series(counts, dtype="int64", name="lost")


def told_reasons(counts: pd.Series) -> tuple[str, ...]:
    """Return each reason with its count before it, as a finding lists them.

    >>> import pandas as pd
    >>> told_reasons(pd.Series({"not converged": 3, "singular equations": 1}))
    ('3 not converged', '1 singular equations')
    """
    return tuple(f"{count} {reason}" for reason, count in counts.items())
