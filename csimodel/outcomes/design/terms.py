"""The text of a formula: what it explains and which names it uses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from tokenize import TokenError

from csimodel.errors import OptionError
from csimodel.outcomes.design.grammar import columns_of, pieces

INDEX = "index"  # in a formula, the index named first


def outcome_named(text: str) -> str | None:
    """Return what stands left of ``~``, or None.

    >>> outcome_named("REPUR ~ index * competition")
    'REPUR'
    """
    _require_text(text)
    left = text.rpartition("~")[0].strip()
    quoted = re.fullmatch(r"Q\((['\"])(.*)\1\)", left)
    return (quoted[2] if quoted else left) or None


def _require_text(text: object) -> None:
    if not isinstance(text, str):
        raise OptionError(
            f"formula={text!r} is not text; write for example 'REPUR ~ {INDEX} * industry'."
        )


def right_of(text: str) -> str:
    """Return what stands right of ``~``.

    Raises
    ------
    OptionError
        When nothing stands there, or there is more than one ``~``.

    >>> right_of("REPUR ~ index * competition")
    'index * competition'
    """
    _require_text(text)
    right = text.rpartition("~")[2].strip()
    if text.count("~") > 1 or not right:
        told = "has more than one '~'" if right else "has no regressors"
        raise OptionError(
            f"formula={text!r} {told}; write for example 'REPUR ~ {INDEX} * industry'."
        )
    return right


def mentioned(text: str) -> list[str]:
    """Return the variables right of ``~``, in the order met, and check the formula on the way.

    Raises
    ------
    OptionError
        When the formula cannot be read, or says more than `grammar.pieces` allows.

    >>> mentioned("y ~ index * np.log(age) + C(industry)")
    ['index', 'age', 'industry']
    """
    codes = checked_pieces(text)
    return list(dict.fromkeys(name for code in codes for name in columns_of(code)))


def checked_pieces(text: str) -> list[str]:
    """Return the pieces of a formula that are Python, none of them evaluated.

    Raises
    ------
    OptionError
        As `mentioned`.
    """
    import patsy

    right = right_of(text)
    try:
        return pieces(text, right)
    except OptionError:
        raise
    except (patsy.PatsyError, SyntaxError, ValueError, TokenError) as error:
        raise unreadable(text, error) from error


def unreadable(text: str, error: Exception) -> OptionError:
    """Return the error of a formula that patsy refuses, with patsy's reason."""
    told = str(error).splitlines()[0].strip().rstrip(".")
    return OptionError(f"formula={text!r} cannot be read ({told}); correct it.")


def named(name: str, indexes: Sequence[str]) -> str:
    """Return a column's name with the index called by its construct."""
    name = re.sub(r"Q\((['\"])(.*?)\1\)", r"\2", name)
    return re.sub(rf"\b{INDEX}\b", lambda _: indexes[0], name)
