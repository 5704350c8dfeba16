"""What lavaan's syntax has and a model here does not: refused by name, with the way out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from csimodel.errors import ModelError
from csimodel.model.constructs import Construct

_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_FEATURES = (
    (
        re.compile(r"\s*(level|block|group)\s*:(?!=)", re.IGNORECASE),
        "starts a block ({0}:), and model text holds one block; for groups use "
        "csi.fit_multigroup(model, survey, by=…), with c(a, b)* where they differ, and two levels "
        "cannot be fitted (clusters enter the errors of csi.ML(se='robust')).",
    ),
    (
        re.compile(r"[^|]*\|"),
        "sets thresholds (|), which come from the answers and cannot be written; take the line out "
        "and fit with csi.WLSMV(ordered=[…]).",
    ),
    (
        re.compile(r".*~\*~"),
        "sets the scale of an ordered response (~*~), which has variance 1 here (the delta "
        "parameterisation); take the line out.",
    ),
    (
        re.compile(r"\s*([\w.]+(?:\s*(?::|\^)\s*[\w.]+)+)\s*~[^~]"),
        "explains the product {0}, and nothing explains a product; let it stand on the right, as "
        "in Loyalty ~ Quality + Value + Quality:Value.",
    ),
    (
        re.compile(r".*?\b(efa|rv|prior)\s*\("),
        "has the modifier {0}(), and there are no exploratory blocks, random slopes or priors; "
        "write a number, NA, a label, start(), lower(), upper() or equal().",
    ),
    (
        re.compile(r".*[\w.)]\s*\?\s*[^\W\d]"),
        "has a starting value with ?; write it as start(0.5)*x.",
    ),
)


def refuse_feature(statement: str) -> None:
    """Raise a ModelError for a statement of lavaan's that a model here cannot hold.

    >>> refuse_feature("x1 | t1 + t2")
    Traceback (most recent call last):
    csimodel.errors.ModelError: The line 'x1 | t1 + t2' sets thresholds (|), which come from the
    answers and cannot be written; take the line out and fit with csi.WLSMV(ordered=[…]).
    """
    bare = _QUOTED.sub(lambda match: "q" * len(match.group()), statement)
    for pattern, what in _FEATURES:
        if match := pattern.match(bare):
            name = statement[slice(*match.span(1))] if pattern.groups else ""
            raise ModelError(f"The line {statement!r} {what.format(name)}")


def refuse_mixed_order(constructs: Iterable[Construct]) -> None:
    """Raise a ModelError for a construct that is measured by constructs and columns together.

    An item may have the name of its own construct, or of a construct of one item of that name.
    """
    every = list(constructs)
    names = {construct.name for construct in every if not construct.observed}
    for construct in every:
        for item in construct.items:
            if item in names and item != construct.name:
                raise ModelError(
                    f"Construct {construct.name!r} has the construct {item!r} among its items, and "
                    "others that are columns of the data; give it constructs alone (a second-order "
                    "construct), or columns alone."
                )
