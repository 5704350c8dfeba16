"""Buckets: random groups of clusters or respondents, by which errors follow in bounded memory.

A label always falls into the same bucket, on any computer, in any order of rows; a cluster is in
one. Buckets are random groups of what was drawn, so that they are units of the design with fewer
degrees of freedom (Wolter, chapter 2).

References
----------
Wolter, K. M. (2007). Introduction to Variance Estimation, chapters 2 and 4.
https://doi.org/10.1007/978-0-387-35099-8
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.options import require_count
from csimodel.survey.checks import labels_of

Codes = NDArray[np.intp]

MOST = 10_000
"""The most buckets there may be."""


def bucket_codes(labels: pd.Series, buckets: int) -> Codes:
    """Return the bucket of each label, 0 … buckets - 1, -1 where there is none, (rows,).

    Whole numbers fall where they fall whatever their type; other labels as they are written.

    Examples
    --------
    >>> bucket_codes(pd.Series(["a", "b", None, "a"]), 4).tolist()
    [0, 3, -1, 0]
    >>> bucket_codes(pd.Series([1, 2, 3]), 4).tolist() == bucket_codes(
    ...     pd.Series([1.0, 2.0, 3.0]), 4
    ... ).tolist()
    True
    """
    own, unique = labels_of(labels, f"Column {labels.name!r}, given as cluster,", sort=False)
    known = pd.Series(unique, dtype=object).infer_objects()
    if pd.api.types.is_bool_dtype(known):
        known = known.astype("int64")
    if pd.api.types.is_numeric_dtype(known):
        numbers = known.to_numpy()
        hashed = pd.util.hash_array(numbers, categorize=False)
        if pd.api.types.is_float_dtype(known):
            whole = (numbers == np.rint(numbers)) & (abs(numbers) < 2.0**53)
            hashed[whole] = pd.util.hash_array(numbers[whole].astype("int64"), categorize=False)
    else:
        texts = np.array([str(label) for label in known], dtype=object)
        hashed = pd.util.hash_array(texts, categorize=False)
    codes = (hashed % np.uint64(buckets)).astype(np.intp)
    return np.asarray(np.append(codes, -1)[own])


def require_buckets(buckets: int | None) -> int | None:
    """Return a number of buckets that errors can be made of, or None.

    Raises
    ------
    OptionError
        When it is no whole number from 2 to 10,000.
    """
    if buckets is None:
        return None
    return require_count("buckets", buckets, ", and some hundreds for errors", least=2, most=MOST)
