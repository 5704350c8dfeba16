"""Usual wordings of answers on ordered scales, in English and Chinese, in their order.

Which of the levels of a family a questionnaire has (four, five, seven) is told by the words in it.
"""

from __future__ import annotations

from dataclasses import dataclass

Level = tuple[str, ...]  # its wordings, the first of each language the usual one


@dataclass(frozen=True)
class UsualScale:
    """A family of wordings in their order.

    Attributes
    ----------
    levels
        From the lowest on.
    parts
        Places of the levels that questionnaires have together, the fewest first.
    """

    levels: tuple[Level, ...]
    parts: tuple[tuple[int, ...], ...]


SATISFACTION = UsualScale(
    (
        ("very dissatisfied", "很不满意", "非常不满意", "很不滿意", "非常不滿意"),
        ("dissatisfied", "不满意", "不滿意"),
        (
            "rather dissatisfied", "somewhat dissatisfied", "不太满意", "较不满意", "不太滿意",
            "比较不满意",
        ),
        ("neutral", "neither satisfied nor dissatisfied", "neither", "一般"),
        (
            "rather satisfied", "somewhat satisfied", "较满意", "比较满意", "較滿意", "比較滿意",
            "基本满意",
        ),
        ("satisfied", "满意", "滿意"),
        ("very satisfied", "很满意", "非常满意", "很滿意", "非常滿意"),
    ),
    ((0, 1, 5, 6), (0, 2, 4, 6), (0, 1, 3, 5, 6), (0, 2, 3, 4, 6), (0, 1, 3, 4, 6),
     (0, 1, 2, 4, 5, 6), tuple(range(7))),
)  # fmt: skip
IMPORTANCE = UsualScale(
    (
        ("not important", "不重要"),
        ("slightly important", "不太重要", "较不重要"),
        ("moderately important", "一般", "一般重要"),
        ("important", "重要", "比较重要", "较重要"),
        ("very important", "很重要", "非常重要"),
    ),
    ((0, 1, 3, 4), tuple(range(5))),
)
_AGREEMENT = UsualScale(
    (
        (
            "strongly disagree", "completely disagree", "非常不同意", "很不同意", "完全不同意",
            "强烈不同意", "非常不赞同",
        ),
        ("disagree", "不同意", "不赞同"),
        (
            "rather disagree", "somewhat disagree", "slightly disagree", "不太同意", "比较不同意",
            "较不同意", "有点不同意",
        ),
        ("neither agree nor disagree", "neutral", "neither", "undecided", "一般", "中立", "不确定"),
        (
            "rather agree", "somewhat agree", "slightly agree", "比较同意", "较同意", "有点同意",
            "基本同意",
        ),
        ("agree", "同意", "赞同"),
        (
            "strongly agree", "completely agree", "非常同意", "很同意", "完全同意", "强烈同意",
            "非常赞同",
        ),
    ),
    SATISFACTION.parts,
)  # fmt: skip
_QUALITY = UsualScale(
    (
        ("very poor", "very bad", "很差", "非常差", "很不好"),
        ("poor", "bad", "差", "较差", "比较差", "不好"),
        ("fair", "average", "acceptable", "一般", "中等"),
        ("good", "好", "较好", "比较好"),
        ("very good", "很好", "非常好"),
        ("excellent", "优秀", "极好"),
    ),
    ((0, 1, 3, 4), (0, 1, 2, 3, 4), (1, 2, 3, 4, 5), (0, 1, 2, 3, 5), tuple(range(6))),
)
_LIKELIHOOD = UsualScale(
    (
        ("very unlikely", "extremely unlikely", "非常不可能", "很不可能"),
        ("unlikely", "不可能", "不太可能"),
        ("neither likely nor unlikely", "neutral", "一般", "不确定"),
        ("likely", "可能", "比较可能"),
        ("very likely", "extremely likely", "非常可能", "很可能"),
    ),
    ((0, 1, 3, 4), tuple(range(5))),
)
_INTENTION = UsualScale(
    (
        ("definitely not", "肯定不会", "一定不会", "绝对不会"),
        ("probably not", "可能不会", "大概不会"),
        ("maybe", "might or might not", "not sure", "不确定", "说不准"),
        ("probably", "probably yes", "可能会", "大概会"),
        ("definitely", "definitely yes", "肯定会", "一定会"),
    ),
    ((0, 1, 3, 4), tuple(range(5))),
)
_FREQUENCY = UsualScale(
    (
        ("never", "从不", "从来没有"),
        ("rarely", "seldom", "很少"),
        ("sometimes", "有时"),
        ("often", "经常"),
        ("always", "总是"),
    ),
    ((0, 1, 3, 4), tuple(range(5))),
)
USUAL_SCALES = (SATISFACTION, _AGREEMENT, _QUALITY, _LIKELIHOOD, _INTENTION, IMPORTANCE, _FREQUENCY)
