"""A row of weight 0 is as one that was never read: the answers of every call, with it and without."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from csimodel.errors import CsimodelError
from csimodel.findings import Finding
from fuzz.calls import play
from fuzz.judge import Judge
from fuzz.surveys import Case, Recipe, make

TOLERANCE = 1e-8
# Pictures, copies, and texts, which say what was dropped.
_LEFT_OUT = re.compile(
    r" (pickle|deepcopy|html|svg|repr|text|zh)$|^plots\.|profile$|_html$|\(\)$|^table\.to_|\.(data|rows|lines)$"
    r"|^Fit\.predict$"  # which predicts every row it is given
)
# Findings that count rows without a weight, and words of refusals that do.
_COUNTS = {"weight-dropped", "rows-dropped", "rows-dropped-by-group", "rows-left-out"}
_WORDS = " of rows with a weight above 0"


@dataclass
class Record(Judge):
    """Keeps what every call answered, or the sentence it was refused with, in their order."""

    kept: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(
        self, name: str, function: Callable[..., Any], /, *args: Any, **options: Any
    ) -> Any:
        """Return the answer of a call, None where it was refused; pictures and copies are not made."""
        if _LEFT_OUT.search(name):
            return None

        def kept(*args: Any, **options: Any) -> Any:
            try:
                answer = function(*args, **options)
            except CsimodelError as error:
                self.kept.append((name, f"refused: {error}"))
                raise
            self.kept.append((name, answer))
            return answer

        return super().__call__(name, kept, *args, **options)


def differences(recipe: Recipe, parts: list[str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield (call, what differs) of a survey with rows of weight 0 and without those rows."""
    case = _weighted(make(replace(recipe, weights="random")))
    part = replace(case, frame=case.frame[case.frame["w"] > 0])
    whole, part = _answers(case, parts), _answers(part, parts)
    names, others = ([name for name, _ in many] for many in (whole, part))
    if names != others:
        k = next(k for k, (a, b) in enumerate(zip(names, others, strict=False)) if a != b)
        yield names[k], f"where the other has {others[k]}: {whole[k - 1]} | {part[k - 1]}"
        return
    for (name, one), (_, other) in zip(whole, part, strict=True):
        for place, told in _differences(one, other):
            yield name, f"{place} {told}".strip()


def _weighted(case: Case) -> Case:
    """Return a case where rows have weight 0, though not all of a firm in a wave."""
    frame = case.frame.copy()
    shares = np.random.default_rng(case.recipe.seed).random(len(frame))
    first = ~frame.duplicated(["group", "firm", "wave"])
    frame.loc[(shares < 0.3) & ~first, "w"] = 0.0
    return replace(case, frame=frame)


def _answers(case: Case, parts: list[str] | None) -> list[tuple[str, Any]]:
    record = Record("warn")
    play(case, record, parts)
    return record.kept


def _differences(one: Any, other: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield where two answers differ: numbers by more than the tolerance, texts at all."""
    if type(one) is not type(other):
        yield place, f"{type(one).__name__} and {type(other).__name__}: {one} | {other}"[:300]
    elif isinstance(one, pd.DataFrame | pd.Series):
        yield from _of_tables(one.reset_index(), other.reset_index(), place)
    elif isinstance(one, np.ndarray | np.generic | float | int):
        yield from _of_arrays(np.asarray(one), np.asarray(other), place)
    elif isinstance(one, str):
        if one.replace(_WORDS, "") != other.replace(_WORDS, ""):
            yield place, f"{one} | {other}"
    elif isinstance(one, Finding):
        if (one.code, one.subjects, str(one)) != (other.code, other.subjects, str(other)):
            yield place, f"{one} | {other}"
        yield from _differences(one.values, other.values, f"{place} {one.code}")
    elif isinstance(one, Mapping):
        yield from _differences(list(one.items()), list(other.items()), place)
    elif isinstance(one, tuple | list):
        first, second = ([own for own in many if not _told(own)] for many in (one, other))
        if len(first) != len(second):
            codes = [[getattr(own, "code", own) for own in many] for many in (first, second)]
            yield place, f"{len(first)} and {len(second)}: {codes}"[:600]
            return
        for k, (own, its) in enumerate(zip(first, second, strict=True)):
            yield from _differences(own, its, f"{place}[{k}]")


def _told(value: Any) -> bool:
    return isinstance(value, Finding) and value.code in _COUNTS


def _of_tables(one: pd.DataFrame, other: pd.DataFrame, place: str) -> Iterator[tuple[str, str]]:
    if list(one.columns) != list(other.columns) or len(one) != len(other):
        yield place, f"{one.shape} {list(one)} and {other.shape} {list(other)}"
        return
    for k, name in enumerate(one.columns):
        yield from _of_arrays(
            one.iloc[:, k].to_numpy(), other.iloc[:, k].to_numpy(), f"{place}.{name}"
        )


def _of_arrays(one: np.ndarray, other: np.ndarray, place: str) -> Iterator[tuple[str, str]]:
    if one.shape != other.shape:
        yield place, f"shapes {one.shape} and {other.shape}"
    elif one.dtype.kind in "fciub" and other.dtype.kind in "fciub":
        with np.errstate(invalid="ignore"):
            gap = np.abs(one.astype(complex) - other) / np.maximum(np.abs(other), 1.0)
        gap = np.where((one == other) | (np.isnan(one) & np.isnan(other)), 0.0, gap)
        if gap.size and not np.max(gap) < TOLERANCE:
            k = int(np.argmax(np.where(np.isnan(gap), np.inf, gap)))
            yield place, f"{np.ravel(one)[k]} | {np.ravel(other)[k]}"
    else:
        for own, its in zip(one.ravel().tolist(), other.ravel().tolist(), strict=True):
            same = own is its or own == its or (own != own and its != its)
            if not same and isinstance(own, float):
                same = abs(own - its) < TOLERANCE * max(abs(its), 1.0)
            if not same:
                yield place, f"{own!r} | {its!r}"
                return
