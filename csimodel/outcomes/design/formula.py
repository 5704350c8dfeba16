"""Formulas, in which the index may be multiplied with controls or bent.

patsy makes the design, once `grammar` has checked that the formula does nothing else; `monomials`
takes it apart into factors free of the indexes times powers of the indexes. So every bootstrap
draw, whose indexes differ, and every prediction at a level can make the columns again by
arithmetic alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, SurveyError, suggest
from csimodel.findings import Finding
from csimodel.outcomes.design.formula_limits import (
    require_numbers,
    require_room,
    require_sense,
    require_size,
)
from csimodel.outcomes.design.grammar import FUNCTIONS, columns_of
from csimodel.outcomes.design.layout import Column, Layout
from csimodel.outcomes.design.monomials import DEGREE, Shelf, agrees, monomials
from csimodel.outcomes.design.terms import (
    INDEX,
    mentioned,
    named,
    outcome_named,
    right_of,
    unreadable,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Built:
    """Columns of a design over the respondents used.

    Attributes
    ----------
    names
        Of the columns, without the constant, the indexes first.
    columns
        (rows, columns)
    layout
        How they follow from indexes and factors.
    factors
        (rows, factors)
    """

    names: tuple[str, ...]
    columns: Floats
    layout: Layout
    factors: Floats


@dataclass(frozen=True, eq=False)
class Formula:
    """The right side of a formula over the columns of a frame.

    Attributes
    ----------
    text
        As the user wrote it.
    right
        What stands right of ``~``.
    indexes
        Names of the indexes, the one meant by ``index`` first.
    variables
        The frame's columns that are used, one row for each respondent.
    """

    text: str
    right: str
    indexes: tuple[str, ...]
    variables: pd.DataFrame

    @classmethod
    def of(cls, text: str, data: pd.DataFrame, indexes: Sequence[str], outcome: str) -> Formula:
        """Read a formula and find its columns.

        Raises
        ------
        SurveyError
            When a name is neither a column nor an index.
        OptionError
            When the formula cannot be read or explains another column.
        """
        left, right = outcome_named(text), right_of(text)
        if left not in (None, outcome):
            raise OptionError(
                f"formula={text!r} explains {left!r}, but the outcome is {outcome!r}; name the "
                "same column in both."
            )
        used = [name for name in mentioned(text) if name not in (INDEX, *indexes)]
        for name in used:
            if name not in data.columns:
                known = [INDEX, *indexes, *map(str, data.columns)]
                raise SurveyError(
                    f"formula={text!r} names {name!r}, which is neither a column nor an index in "
                    f"index={list(indexes)!r}{suggest(name, known)}; correct the name."
                )
        for name in mentioned(text):
            if name in (INDEX, *indexes) and name in data.columns:
                raise OptionError(
                    f"formula={text!r} names {name!r}, which is an index and a column, too; "
                    "rename the column."
                )
        variables = {name: _plain(data[name]) for name in used}
        require_sense(text, variables, indexes)
        return cls(text, right, tuple(indexes), pd.DataFrame(variables, data.index))

    @property
    def missing(self) -> Mapping[str, NDArray[np.bool_]]:
        """Where each column has no value, (rows,)."""
        return {str(name): self.variables[name].isna().to_numpy() for name in self.variables}

    def thin(self, rows: NDArray[np.intp], fewest: int) -> tuple[Finding, ...]:
        """Tell of categories that hold fewer respondents than wanted."""
        findings = []
        for name in self.variables:
            column = self.variables[name].iloc[rows]
            if pd.api.types.is_numeric_dtype(column.dtype) and not _categorical(name, self.right):
                continue
            counts = column.value_counts()
            small = counts[(counts > 0) & (counts < fewest)]
            if len(small):
                categories = tuple(f"{level} ({count})" for level, count in small.items())
                message = (
                    "Categories of {name!r} hold fewer than {fewest} of the {rows} "
                    "respondents used: {categories}; merge such categories or leave them out."
                )
                findings.append(
                    Finding(
                        "few-in-category",
                        message,
                        (str(name),),
                        count=int(small.sum()),
                        values={
                            "name": name,
                            "fewest": fewest,
                            "rows": len(rows),
                            "categories": categories,
                        },
                    )
                )
        return tuple(findings)

    def build(self, rows: NDArray[np.intp], points: Floats) -> Built:
        """Make the design of some respondents.

        Parameters
        ----------
        rows
            Respondents with all values.
        points
            Their indexes, (rows, indexes).

        Raises
        ------
        OptionError
            When the constant or an index's own column is missing, or an index enters otherwise
            than by powers up to the third.
        """
        import patsy

        frame = _whole_numbers(self.variables.iloc[rows], self.right)
        require_room(self.text, self.right, frame)
        data = self._with(frame, points)
        try:
            with np.errstate(all="ignore"):
                info = patsy.incr_dbuilder(self.right, lambda: iter([data]), _env())
        except (patsy.PatsyError, ArithmeticError, TypeError, ValueError) as error:
            raise unreadable(self.text, error) from error
        require_size(self.text, len(info.column_names), len(frame))
        design = self._at(info, frame, points)
        if "Intercept" not in info.column_names:
            raise OptionError(
                f"formula={self.text!r} has no constant; leave out '0 +' or '- 1', as every "
                "regression here has one."
            )
        require_numbers(self.text, info, design, {INDEX, *self.indexes})
        names = [named(name, self.indexes) for name in info.column_names]
        order = [self._own(name, names, design, points) for name in self.indexes]
        order += [
            j for j, name in enumerate(names) if j not in order and name != "Intercept"
        ]  # fmt: skip
        columns, factors = self._split(info, frame, design, points, order)
        return Built(
            names=tuple(names[j] for j in order),
            columns=design[:, order],
            layout=Layout(columns, len(self.indexes), self._tangled(info, order)),
            factors=factors,
        )

    def _with(self, frame: pd.DataFrame, points: Floats) -> dict[str, Any]:
        """Return what a formula's names mean when the indexes have these values."""
        columns: dict[str, Any] = {str(name): frame[name] for name in frame}
        columns |= {name: points[:, j] for j, name in enumerate(self.indexes)}
        return {**columns, INDEX: points[:, 0]}

    def _at(self, info: Any, frame: pd.DataFrame, points: Floats) -> Floats:
        import patsy

        keep = patsy.NAAction(NA_types=[])
        try:
            with np.errstate(all="ignore"):
                (design,) = patsy.build_design_matrices([info], self._with(frame, points), keep)
        except patsy.PatsyError as error:  # a spline, whose knots end with the data
            raise self._no_polynomial("a term") from error
        return np.asarray(design, dtype=np.float64)

    def _own(self, name: str, names: list[str], design: Floats, points: Floats) -> int:
        j = self.indexes.index(name)
        if name in names and np.array_equal(design[:, names.index(name)], points[:, j]):
            return names.index(name)
        written = INDEX if j == 0 else name
        other = f" (or {name!r})" if written != name else ""
        raise OptionError(
            f"formula={self.text!r} has no term {written!r}{other} of its own; write {written!r} "
            f"besides its products and powers, as in '{written} * industry'."
        )

    def _split(
        self, info: Any, frame: pd.DataFrame, design: Floats, points: Floats, order: list[int]
    ) -> tuple[tuple[Column, ...], Floats]:
        """Return every column as factors times powers of the indexes, and the factors."""
        shelf = Shelf()
        places = {INDEX: 0, **{name: j for j, name in enumerate(self.indexes)}}

        def values(part: Any, levels: Floats) -> Floats:
            return self._at(part, frame, levels)

        def of_indexes(code: str) -> list[int]:
            return sorted({places[name] for name in columns_of(code) if name in places})

        def refusal(name: str) -> OptionError:
            return self._no_polynomial(repr(name))

        columns = {}
        for j, polynomial in enumerate(monomials(info, values, of_indexes, points, refusal)):
            name = info.column_names[j]
            if name == "Intercept":
                continue
            columns[j] = shelf.column(polynomial)
            if not agrees(columns[j], points, shelf.factors, design[:, j]):
                raise refusal(name)
        factors = np.column_stack(shelf.factors) if shelf.factors else np.empty((len(frame), 0))
        return tuple(columns[j] for j in order), factors

    def _no_polynomial(self, where: str) -> OptionError:
        return OptionError(
            f"formula={self.text!r} bends an index in {where} in a way that is no polynomial up to "
            f"power {DEGREE}; write powers such as I({INDEX} ** 2), or see "
            "csi.outcomes.repurchase_shape."
        )

    def _tangled(self, info: Any, order: list[int]) -> tuple[int, ...]:
        """Return the positions of columns whose controls also make up other columns."""
        indexes = {INDEX, *self.indexes}
        used, others = {}, {}
        for term in info.terms:
            factors = {factor.code: set(columns_of(factor.code)) for factor in term.factors}
            used[term] = set().union(*factors.values()) - indexes
            others[term] = {code for code, names in factors.items() if not names & indexes}
        tangled = [
            term
            for term in info.terms
            if any(used[term] & used[u] and others[term] != others[u] for u in info.terms)
        ]
        columns = np.arange(len(info.column_names))
        return tuple(order.index(j) for term in tangled for j in columns[info.term_slices[term]])


def _env() -> Any:
    """Return what formulas may call besides patsy's own: NumPy's functions, with np. or without."""
    from patsy import EvalEnvironment

    functions = {name: getattr(np, name) for name in FUNCTIONS}
    return EvalEnvironment([{**functions, "np": SimpleNamespace(**functions)}])


def _categorical(name: object, right: str) -> bool:
    """Tell whether a formula takes a column as categories by ``C(...)``."""
    return re.search(rf"C\(\s*(Q\(['\"])?{re.escape(str(name))}\b", right) is not None


def _plain(values: pd.Series) -> pd.Series:
    """Return numbers of any kind as floats; text and categories as they are."""
    kind = values.dtype
    if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_numeric_dtype(kind):
        return pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan), values.index)
    return values


def _whole_numbers(frame: pd.DataFrame, right: str) -> pd.DataFrame:
    """Name the levels of whole-numbered categories without a decimal point."""
    table = frame.copy()
    for name in frame:
        numeric = pd.api.types.is_numeric_dtype(frame[name].dtype)
        if _categorical(name, right) and numeric and (frame[name] % 1 == 0).all():
            table[name] = frame[name].astype(np.int64)
    return table
