"""The exceptions and warnings of the package.

Every message is one sentence that names what the user wrote, what was seen,
what is allowed, and the way out.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_BEGINNING, _END = 1_500, 1_000  # characters kept of a sentence that is longer


class CsimodelError(Exception):
    """Base of every error this package raises on purpose.

    What the user wrote may be long; a sentence that quotes it is cut in the middle.

    >>> len(str(CsimodelError("x" * 100_000))) < 3_000
    True
    """

    def __init__(self, message: object = "", *further: object) -> None:
        super().__init__(_cut(message) if isinstance(message, str) else message, *further)


class SurveyError(CsimodelError, ValueError):
    """The data cannot be used as they are: a file, a column, a value, a weight."""


class ModelError(CsimodelError, ValueError):
    """The model contradicts itself: an item, a construct or a path is wrong."""


class OptionError(CsimodelError, ValueError):
    """An option has a value that is not allowed, or one that does not fit the others."""


class MissingResultError(OptionError, AttributeError):
    """A result that fits by this estimator do not have; ``hasattr`` is false of it."""


class EstimationError(CsimodelError, RuntimeError):
    """The model cannot be estimated from these data, or ``strict=True`` refused the solution."""


class InferenceError(CsimodelError, RuntimeError):
    """There are too few usable draws, or the quantity asked for has no draws."""


class StorageError(CsimodelError, ValueError):
    """A file cannot be written or is not a whole file of `csimodel.save` that can be read."""


class CsimodelWarning(UserWarning):
    """Base of every warning this package issues."""


def _cut(message: str) -> str:
    left_out = len(message) - _BEGINNING - _END
    if left_out <= 0:
        return message
    return f"{message[:_BEGINNING]} … ({left_out:,} characters) … {message[-_END:]}"


def suggest(name: object, allowed: Iterable[object]) -> str:
    """Return ``" (did you mean 'X'?)"`` for the nearest allowed spelling, or an empty string.

    >>> suggest("Imge", ["Image", "Value"])
    " (did you mean 'Image'?)"
    >>> suggest("Zzz", ["Image", "Value"])
    ''
    """
    candidates = list(allowed)
    folded = {str(candidate).casefold(): candidate for candidate in reversed(candidates)}
    matches = difflib.get_close_matches(str(name).casefold(), list(folded), n=1, cutoff=0.6)
    return f" (did you mean {folded[matches[0]]!r}?)" if matches else ""


def require_construct(name: object, constructs: Iterable[str]) -> str:
    """Return `name` when it is a construct of the model, else raise a `ModelError`.

    >>> require_construct("Image", ["Image", "Value"])
    'Image'
    """
    names = list(constructs)
    if isinstance(name, str) and name in names:
        return name
    raise ModelError(f"Construct {name!r} is not in the model{suggest(name, names)}.")


def choose(option: str, value: object, allowed: Iterable[str]) -> str:
    """Return `value` when it is one of `allowed`, else raise an `OptionError` that lists them.

    >>> choose("scheme", "path", ["path", "centroid"])
    'path'
    """
    options = list(allowed)
    if isinstance(value, str) and value in options:
        return value
    hint = suggest(value, options) if isinstance(value, str) else ""
    listed = ", ".join(repr(entry) for entry in options)
    raise OptionError(f"{option}={value!r} is not known{hint}; use one of {listed}.")
