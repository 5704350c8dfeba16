"""Which parameters are equal between groups, and what a fixed one does to those equal to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from csimodel.errors import ModelError
from csimodel.estimators.covariance.rows import Row
from csimodel.model.parameters import number


def _is(kind: str, itself: bool | None = None) -> Callable[[Row], bool]:
    """Return the test for rows of a kind, of variances only or of covariances only."""

    def test(row: Row) -> bool:
        own = row.kind if row.group_kind is None else row.group_kind
        return own == kind and itself in (None, row.lhs == row.rhs)

    return test


# What may be equal between groups; the last five are lavaan's words.
EQUAL: Mapping[str, Callable[[Row], bool]] = {
    "loadings": _is("loadings"),
    "intercepts": _is("intercepts"),
    "errors": _is("errors"),
    "paths": _is("paths"),
    "covariances": _is("covariances"),
    "means": _is("means"),
    "thresholds": _is("thresholds"),
    "regressions": _is("paths"),
    "residuals": _is("errors", True),
    "residual.covariances": _is("errors", False),
    "lv.variances": _is("covariances", True),
    "lv.covariances": _is("covariances", False),
}


def equal_between_groups(row: Row, equal: Sequence[str]) -> bool:
    """Tell whether a row is of a kind that is equal between groups."""
    return any(EQUAL[kind](row) for kind in equal)


def fixed_together(
    tables: Sequence[Sequence[Row]], keys: Sequence[Sequence[object]]
) -> list[list[Row]]:
    """Fix every row whose key is that of a fixed one: what is equal to a number is that number.

    Parameters
    ----------
    tables, keys
        The rows of each group, and what tells their parameters apart; a label is its own key.

    Raises
    ------
    ModelError
        For rows of one key that are fixed at different values.
    """
    first: dict[object, Row] = {}
    for rows, own in zip(tables, keys, strict=True):
        for row, key in zip(rows, own, strict=True):
            if row.fixed is None:
                continue
            known = first.setdefault(key, row)
            if known.fixed != row.fixed:
                raise _contradiction(known, row)
    return [
        [
            row if key not in first else row._replace(fixed=first[key].fixed)
            for row, key in zip(rows, own, strict=True)
        ]
        for rows, own in zip(tables, keys, strict=True)
    ]


def require_bounds(tables: Iterable[Sequence[Row]]) -> None:
    """Raise a ModelError for a row that is fixed outside of its bounds."""
    for row in (row for rows in tables for row in rows):
        if row.fixed is not None and not row.lower <= row.fixed <= row.upper:
            raise ModelError(
                f"{row.name!r} is fixed at {number(row.fixed)}, which is outside of its bounds; "
                "change the value or the bounds."
            )


def _contradiction(row: Row, other: Row) -> ModelError:
    """Say that two parameters that are equal have different values."""
    assert row.fixed is not None
    assert other.fixed is not None
    values = f"{number(row.fixed)} and {number(other.fixed)}"
    if row.label is not None and row.label == other.label:
        return ModelError(
            f"The label {row.label!r} makes {row.name!r} and {other.name!r} equal, and they are "
            f"fixed at {values} (a first loading is fixed at 1 unless the text says otherwise, "
            "as NA* does); give them one value, or different labels."
        )
    return ModelError(
        f"{row.name!r} is fixed at {values} in two groups and equal= makes it equal between "
        f"groups; give it one value, or except it with free={row.name!r}."
    )
