"""What stands on the arrows between constructs: coefficients, their errors, and their doubts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from csimodel.errors import OptionError, choose
from csimodel.findings import text
from csimodel.formatting import number, told_p
from csimodel.tables.cells import stars_of

KINDS = ("path", "t", "p", "interval", "stars")
STARS = "* p < .05, ** p < .01, *** p < .001"
_ERRORS = {"t": ("estimate", "se"), "p": ("p",), "stars": ("p",), "interval": ("lower", "upper")}

Key = tuple[str, str]


@dataclass(frozen=True)
class PathTexts:
    """What is said of each path, by (target, source).

    Attributes
    ----------
    values
        Coefficients.
    texts
        Lines to write on an arrow.
    uncertain
        Paths whose interval covers 0; none where no interval is known.
    intervals
        Whether intervals are known.
    note
        What stars mean; empty without them.
    """

    values: dict[Key, float]
    texts: dict[Key, str]
    uncertain: frozenset[Key]
    intervals: bool
    note: str


def path_texts(fit: Any, bootstrap: Any, show: str | Sequence[str], decimals: int) -> PathTexts:
    """Return what is said of the paths of a fit.

    Raises
    ------
    OptionError
        For an unknown kind in `show`, one that needs errors where there are none, and a bootstrap
        without the columns or a path.
    """
    wanted = [show] if isinstance(show, str) else list(show)
    if not wanted:
        raise OptionError(f"show={show!r} is empty; name one or more of {', '.join(KINDS)}.")
    wanted = [choose("show", kind, KINDS) for kind in wanted]
    keys = [(path.target, path.source) for path in fit.model.paths]
    values = {key: float(fit.paths.loc[key]) for key in keys}
    table = _table(bootstrap)
    if table is None:
        for kind in wanted:
            if kind != "path":
                raise OptionError(
                    f"show={kind!r} needs errors of the paths; pass bootstrap=csi.bootstrap(fit) "
                    "or bootstrap=csi.linearize(fit)."
                )
    else:
        _require(table, keys, wanted)
    texts = {key: _text(values[key], table, key, wanted, decimals) for key in keys}
    rows = {} if table is None else {key: table.loc[key] for key in keys}
    covering = {key for key, row in rows.items() if not (row["lower"] > 0 or row["upper"] < 0)}
    note = text(STARS) if "stars" in wanted else ""
    return PathTexts(values, texts, frozenset(covering), table is not None, note)


def _table(bootstrap: Any) -> pd.DataFrame | None:
    if bootstrap is None or isinstance(bootstrap, pd.DataFrame):
        return bootstrap
    if callable(getattr(bootstrap, "table", None)):
        table: pd.DataFrame = bootstrap.table("paths")
        return table
    raise OptionError(
        f"bootstrap is a {type(bootstrap).__name__}; "
        'pass the bootstrap of csimodel.bootstrap, or its table("paths").'
    )


def _require(table: pd.DataFrame, keys: Sequence[Key], wanted: Sequence[str]) -> None:
    """Refuse a table that lacks a column or a path."""
    needed = ["lower", "upper", *(column for kind in wanted for column in _ERRORS.get(kind, ()))]
    absent = [column for column in needed if column not in table.columns]
    if absent:
        raise OptionError(
            f"bootstrap has no column {absent[0]!r} (it has {', '.join(map(str, table.columns))}); "
            'pass the table("paths") of a bootstrap.'
        )
    for target, source in keys:
        if (target, source) not in table.index:
            raise OptionError(
                f"bootstrap has no interval for the path {source} → {target}; "
                "pass the bootstrap of this very fit."
            )


def _text(
    value: float, table: pd.DataFrame | None, key: Key, wanted: Sequence[str], decimals: int
) -> str:
    """Return the lines of one path: what is wanted, in the order wanted; stars beside the first."""
    lines = []
    row: Any = {} if table is None else table.loc[key]
    for kind in wanted:
        if kind == "path":
            lines.append(number(value, decimals))
        elif kind == "t":
            ratio = float(row["estimate"]) / float(row["se"]) if row["se"] > 0 else float("nan")
            lines.append(f"t = {number(ratio, 2)}")
        elif kind == "p":
            lines.append(told_p(float(row["p"])))
        elif kind == "interval":
            ends = (number(float(row[end]), decimals) for end in ("lower", "upper"))
            lines.append(f"[{', '.join(ends)}]")
    stars = stars_of(float(row["p"])) if "stars" in wanted else ""
    return "\n".join([(lines[0] if lines else number(value, decimals)) + stars, *lines[1:]])
