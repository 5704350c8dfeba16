"""The rule: an answer whose gaps are explained, or a sentence; anything else is a failure."""

from __future__ import annotations

import contextlib
import copy
import io
import pickle
import re
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import csimodel as csi

_PACKAGE = str(Path(csi.__file__).parent)
_SECONDS = 30
_INFERENCE = ("se", "lower", "upper", "estimate", "mean")


@dataclass(frozen=True)
class Failure:
    """One answer against the rule, and where it comes from."""

    call: str
    kind: str
    detail: str
    place: str

    @property
    def cause(self) -> str:
        """What failures of one cause have in common."""
        return f"{self.kind} at {self.place}"


@dataclass
class Judge:
    """Makes calls, looks at answers, keeps failures and counts."""

    floats: str = "warn"
    calls: int = 0
    answers: int = 0
    failures: list[Failure] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    beside: list[Any] = field(default_factory=list)  # results whose findings explain gaps

    def __call__(
        self, name: str, function: Callable[..., Any], /, *args: Any, **options: Any
    ) -> Any:
        """Return the answer of a call, None where it was refused or failed."""
        self.calls += 1
        self.names.add(name)
        printed = io.StringIO()
        state = dict.fromkeys(("over", "divide", "invalid", "under"), "raise")
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
            warnings.simplefilter("always")
            try:
                with _alarm(_SECONDS), np.errstate(**state if self.floats == "raise" else {}):
                    answer = function(*args, **options)
            except csi.CsimodelError as error:
                answer = None
                if not _is_sentence(str(error)):
                    self._fail(name, "no sentence", repr(str(error)), _place(error))
            except Exception as error:  # the rule
                self._fail(name, type(error).__name__, str(error)[:200], _place(error))
                return None
        self.answers += answer is not None
        for one in caught:
            # Deprecations among other packages are shown to their developers, not to users.
            foreign = not one.filename.startswith(_PACKAGE)
            if foreign and issubclass(one.category, DeprecationWarning):
                continue
            if not issubclass(one.category, csi.errors.CsimodelWarning):
                where = f"{Path(one.filename).name}:{one.lineno}"
                if one.filename.startswith(_PACKAGE):
                    where = f"{one.filename[len(_PACKAGE) + 1 :]}:{one.lineno}"
                self._fail(name, f"bare {one.category.__name__}", str(one.message)[:200], where)
        if printed.getvalue():
            self._fail(name, "print", printed.getvalue()[:80], name)
        if isinstance(answer, pd.DataFrame) and not caught and not self._explained(answer):
            self._fail(name, "silent NaN", _gaps(answer), name)
        return answer

    def look(self, name: str, value: Any) -> None:
        """Look at an answer as a reader does: text, HTML, summary, tables, copies."""
        if value is None:
            return
        self.beside.append(value)
        self._look(name, value)
        self.beside.pop()

    def _look(self, name: str, value: Any) -> None:
        self(f"{name} repr", repr, value)
        if hasattr(value, "_repr_html_"):
            self(f"{name} html", value._repr_html_)
        self(f"{name} pickle", lambda: pickle.loads(pickle.dumps(value)) is None or None)
        self(f"{name} deepcopy", lambda: copy.deepcopy(value) is None or None)
        if isinstance(value, pd.DataFrame | pd.Series):
            return
        for attribute in dir(type(value)):
            if attribute.startswith("_") or attribute in _LEFT_OUT:
                continue
            own = getattr(type(value), attribute)
            if isinstance(own, property | cached_property):
                seen = self(f"{name}.{attribute}", getattr, value, attribute)
                if isinstance(seen, pd.DataFrame | pd.Series):
                    self(f"{name}.{attribute} repr", repr, seen)
            elif attribute in ("summary", "to_text", "score_tests") and callable(own):
                seen = self(f"{name}.{attribute}()", getattr(value, attribute))
                self(f"{name}.{attribute}() text", str, seen)

    def _explained(self, table: pd.DataFrame) -> bool:
        return _explained(table) or any(len(self._findings(one)) for one in self.beside)

    def _findings(self, one: Any) -> tuple[Any, ...]:
        try:
            return getattr(one, "diagnostics", ()) or getattr(one, "findings", ())
        except Exception as error:  # findings of an answer are never refused
            self._fail("findings", type(error).__name__, str(error)[:200], _place(error))
            return ()

    def _fail(self, name: str, kind: str, detail: str, place: str) -> None:
        self.failures.append(Failure(name, kind, " ".join(detail.split()), place))


_LEFT_OUT = {"jackknife", "model", "estimator", "moments", "estimates", "fit", "naive"}


def _is_sentence(text: str) -> bool:
    return (
        len(text) > 20
        and text.rstrip(")'\"").endswith((".", "?", "。"))
        and "\nTraceback" not in text
    )


def _explained(table: pd.DataFrame) -> bool:
    """Return whether a table of estimates with errors says why a number is not there."""
    if table.columns.nlevels > 1 or not table.columns.is_unique:
        return True
    own = [c for c in _INFERENCE if c in table.columns]
    if not {"se", "lower"} & set(own) or "std" in table.columns:
        return True
    if set(own) & set(table.index.get_level_values(0)):  # constructs by constructs of such names
        return True
    gaps = ~np.isfinite(table[own].to_numpy(dtype=float)).all(axis=1)
    if "reason" in table.columns:
        return bool((table["reason"].astype(str).str.len() > 0)[gaps].all())
    return not gaps.any()


def _gaps(table: pd.DataFrame) -> str:
    own = [c for c in _INFERENCE if c in table.columns]
    gaps = table[own][~np.isfinite(table[own].to_numpy(dtype=float)).all(axis=1)]
    return re.sub(r"\s+", " ", gaps.head(2).to_string())


def _place(error: BaseException) -> str:
    """Return the deepest line of the package that an exception passed."""
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(_PACKAGE)
    ]
    if not frames:
        frames = traceback.extract_tb(error.__traceback__)[-1:]
    return f"{frames[-1].filename.removeprefix(_PACKAGE + '/')}:{frames[-1].lineno}"


@contextlib.contextmanager
def _alarm(seconds: int) -> Iterator[None]:
    """Raise TimeoutError when a call computes longer; only in the main thread, where signals are."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise TimeoutError(f"no answer after {seconds} s of computing")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
