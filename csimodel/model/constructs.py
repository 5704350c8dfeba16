"""Constructs with their items, and paths between constructs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from csimodel.arguments import checked
from csimodel.characters import composed, encodable
from csimodel.errors import ModelError

Kind = Literal["reflective", "composite", "single"]


@dataclass(frozen=True)
class Construct:
    """A construct and the items that measure or form it.

    Attributes
    ----------
    name
        Any text; Chinese and spaces are allowed.
    items
        Column names of the survey.
    kind
        ``"reflective"`` (``=~``, a common factor), ``"composite"`` (``<~``, a weighted
        sum) or ``"single"`` (one item, taken as the construct itself). A construct with one
        item is single, whatever is written.

    Raises
    ------
    ModelError
        For an unknown kind, a name that is blank or not text or holds half a character, no items,
        an item named twice, or several items in a single.
    """

    name: str
    items: tuple[str, ...]
    kind: Kind

    def __post_init__(self) -> None:
        items = _names(self.items)
        if not items:
            raise ModelError(f"Construct {self.name!r} has no items; give it at least one column.")
        for name in (self.name, *items):
            if not isinstance(name, str) or not name.strip():
                raise ModelError(
                    f"Construct {self.name!r} has the name {name!r} in it, which is "
                    f"{'blank' if isinstance(name, str) else 'not text'}; name constructs and "
                    "items by text, as the columns of the data."
                )
            if encodable(name) != name:
                raise ModelError(
                    f"The name {name!r} has half a character in it, as text that was read with "
                    "the wrong encoding; write it anew."
                )
        if not isinstance(self.kind, str) or self.kind not in get_args(Kind):
            raise ModelError(
                f"Construct {self.name!r} is of kind {self.kind!r}; use 'reflective' (=~), "
                "'composite' (<~) or 'single' (one item)."
            )
        if self.kind == "single" and len(items) > 1:
            raise ModelError(
                f"Construct {self.name!r} is of kind 'single' and has {len(items)} items; "
                "name one, or use 'reflective' or 'composite'."
            )
        items = tuple(map(composed, items))
        object.__setattr__(self, "name", composed(self.name))
        object.__setattr__(self, "items", items)
        if len(items) == 1:
            object.__setattr__(self, "kind", "single")
        twice = [item for item, count in Counter(items).items() if count > 1]
        if twice:
            raise ModelError(
                f"Construct {self.name!r} names item {twice[0]!r} twice; name each item once."
            )

    @property
    def observed(self) -> bool:
        """Whether it is a column of the data itself, an item of the same name its only one.

        >>> Construct("age", ("age",), "single").observed
        True
        """
        return self.items == (self.name,)


class Path(NamedTuple):
    """An arrow from `source` to `target`, both constructs."""

    source: str
    target: str


@checked
def reflective(name: str, items: str | Sequence[str]) -> Construct:
    """Define a construct whose items reflect it (``name =~ items``).

    >>> reflective("Value", ["PERV1", "PERV2"])
    Construct(name='Value', items=('PERV1', 'PERV2'), kind='reflective')
    >>> reflective("Complaints", "CUSCO").kind
    'single'
    """
    return Construct(name, _names(items), "reflective")


@checked
def composite(name: str, items: str | Sequence[str]) -> Construct:
    """Define a construct that is a weighted sum of its items (``name <~ items``).

    >>> composite("Value", ["PERV1", "PERV2"]).kind
    'composite'
    """
    return Construct(name, _names(items), "composite")


def _names(items: str | Sequence[str]) -> tuple[str, ...]:
    if isinstance(items, str):
        return (items,)
    return tuple(items) if isinstance(items, Iterable) else (items,)
