"""Observed variables: columns of the data that stand in paths without being items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from csimodel.errors import ModelError
from csimodel.model.constructs import Construct, Path, reflective


def observed(constructs: Sequence[Construct], paths: Iterable[Path]) -> tuple[Construct, ...]:
    """Return a construct for each end of a path that is none yet: a column of that name.

    A name that is nearly that of a construct is left out, so that a misspelling is refused.

    Raises
    ------
    ModelError
        For an item of a construct in a path.

    Examples
    --------
    >>> observed([reflective("Value", ["v1", "v2"])], [Path("age", "Value"), Path("Valeu", "age")])
    (Construct(name='age', items=('age',), kind='single'),)
    """
    names = [construct.name for construct in constructs]
    owner = {item: construct.name for construct in constructs for item in construct.items}
    columns: dict[str, Construct] = {}
    for path in paths:
        for end in path:
            if end in names or end in columns:
                continue
            if end in owner:
                raise ModelError(
                    f"The path from {path.source!r} to {path.target!r} has {end!r} in it, an item "
                    f"of {owner[end]!r}; paths join constructs and columns that are no items, so "
                    f"take {end!r} out of {owner[end]!r}, or use {owner[end]!r} in the path."
                )
            if not any(misspelt(end, name) for name in names):
                columns[end] = reflective(end, [end])
    return tuple(columns.values())


def misspelt(name: str, known: str) -> bool:
    """Tell whether a name is nearly a known one, and not told from it by digits alone.

    Short names differ in little: of less than four letters only case and doubled letters count.

    >>> misspelt("Satisfction", "Satisfaction"), misspelt("age", "Image"), misspelt("x1", "x2")
    (True, False, False)
    """
    word, other = name.casefold(), known.casefold()
    if _without_doubles(word) == _without_doubles(other):
        return True
    shorter = min(len(word), len(other))
    if shorter < 4 or _without_digits(word) == _without_digits(other):
        return False
    return _distance(word, other) <= (2 if shorter >= 8 else 1)


def _without_doubles(name: str) -> str:
    runs = ((sign, len(list(run))) for sign, run in groupby(name))
    return "".join(sign * (size if sign.isdigit() else 1) for sign, size in runs)


def _without_digits(name: str) -> str:
    return "".join(sign for sign in name if not sign.isdigit())


def _distance(word: str, other: str) -> int:
    """Return how many signs must be put in, taken out, changed or swapped with the next."""
    rows = [list(range(len(other) + 1))]
    for i, sign in enumerate(word, 1):
        row = [i]
        for j, facing in enumerate(other, 1):
            steps = [rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (sign != facing)]
            if i > 1 and j > 1 and sign == other[j - 2] and word[i - 2] == facing:
                steps.append(rows[-2][j - 2] + 1)
            row.append(min(steps))
        rows.append(row)
    return rows[-1][-1]
