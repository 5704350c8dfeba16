"""One question of a survey: what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Item:
    """Say what is known about one question of a survey.

    Attributes
    ----------
    name
        Name of the column.
    construct
        Construct the item measures, if the codebook says so.
    wording
        The question in a few words.
    minimum, maximum
        Scale bounds; reversal leaves them as they are.
    missing_codes
        Values that stand for "don't know", "refused" and the like.
    reversed
        True when the item was asked the other way round; its answers were turned to
        minimum + maximum − x at reading.
    answers
        Codes of answers in words, such as ``{"good": 4, "满意": 4}``.
    missing_words
        Words that stand for no answer, such as ``("Blank", "DK")``.
    assumed
        True when the bounds come from a scale given for every column of numbers at once, so that
        nothing says they are this column's; a model's items take them, an outcome does not.

    Examples
    --------
    >>> Item("CUSA1", construct="Satisfaction", minimum=1, maximum=10).construct
    'Satisfaction'
    """

    name: str
    construct: str | None = None
    wording: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    missing_codes: tuple[float, ...] = ()
    reversed: bool = False
    answers: Mapping[str, float] = field(default_factory=dict, repr=False, hash=False)
    missing_words: tuple[str, ...] = field(default=(), repr=False)
    assumed: bool = field(default=False, repr=False)
