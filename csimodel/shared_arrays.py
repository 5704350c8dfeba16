"""Arrays that processes begun later share with the one that made them."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def shared_zeros(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return zeros in memory that forked processes see and change, too.

    The memory is given back when the array, and its last view, are gone.

    Parameters
    ----------
    shape, dtype
        As in ``numpy.zeros``.

    Examples
    --------
    >>> shared_zeros((2, 3), np.uint8)
    array([[0, 0, 0],
           [0, 0, 0]], dtype=uint8)
    """
    own = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.intp)) * own.itemsize
    if not size:
        return np.zeros(shape, dtype=own)
    return np.frombuffer(mmap.mmap(-1, size), dtype=own).reshape(shape)
