"""The text of a formula: what it explains and which names it uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from csimodel.errors import OptionError

INDEX = "index"  # in a formula, the index named first


def outcome_named(text: str) -> str | None:
    """Return what stands left of ``~``, or None.

    >>> outcome_named("REPUR ~ index * competition")
    'REPUR'
    """
    left = text.rpartition("~")[0].strip()
    quoted = re.fullmatch(r"Q\((['\"])(.*)\1\)", left)
    return (quoted[2] if quoted else left) or None


def right_of(text: str) -> str:
    """Return what stands right of ``~``.

    Raises
    ------
    OptionError
        When nothing stands there, or there is more than one ``~``.

    >>> right_of("REPUR ~ index * competition")
    'index * competition'
    """
    right = text.rpartition("~")[2].strip()
    if text.count("~") > 1 or not right:
        told = "has more than one '~'" if right else "has no regressors"
        raise OptionError(
            f"formula={text!r} {told}; write for example 'REPUR ~ {INDEX} * industry'."
        )
    return right


def mentioned(text: str) -> list[str]:
    """Return the variables right of ``~``, in the order met.

    Raises
    ------
    OptionError
        When the formula cannot be read.

    >>> mentioned("y ~ index * np.log(age) + C(industry)")
    ['index', 'age', 'industry']
    """
    import patsy

    right = right_of(text)
    try:
        terms = patsy.ModelDesc.from_formula(right).rhs_termlist
        codes = [factor.code for term in terms for factor in term.factors]
        return list(dict.fromkeys(name for code in codes for name in variables_of(code)))
    except (patsy.PatsyError, SyntaxError) as error:
        raise unreadable(text, error) from error


def unreadable(text: str, error: Exception) -> OptionError:
    """Return the error of a formula that patsy refuses, with patsy's reason."""
    told = str(error).splitlines()[0].strip().rstrip(".")
    return OptionError(f"formula={text!r} cannot be read ({told}); correct it.")


def variables_of(code: str) -> list[str]:
    """Return the columns that a piece of a formula names."""
    import patsy

    found = []
    for node in ast.walk(ast.parse(code, mode="eval")):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Q":
            found += [str(word.value) for word in node.args if isinstance(word, ast.Constant)]
        elif isinstance(node, ast.Name) and node.id not in (*patsy.builtins.__all__, "np"):
            found.append(node.id)
    return found


def named(name: str, indexes: Sequence[str]) -> str:
    """Return a column's name with the index called by its construct."""
    name = re.sub(r"Q\((['\"])(.*?)\1\)", r"\2", name)
    return re.sub(rf"\b{INDEX}\b", lambda _: indexes[0], name)
