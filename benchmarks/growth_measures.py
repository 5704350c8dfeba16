"""What is measured of descriptive measures: tables by firm, with what they rest on."""

from growth_data import Case
from growth_operations import FEW, G, N, Operation

import csimodel as csi

FLOOR = "8*n*20/B"


def items(case: Case) -> list[str]:
    """Return the first two items."""
    return list(case.model.items[:2])


MEASURES = (
    Operation(
        "measures.satisfaction_level",
        lambda c: (
            csi.measures.satisfaction_level(
                c.survey, items(c), by="firm", levels=range(1, 11)
            ).table
        ),
        {"n": (1, N), "G": (1, G)},
        FLOOR,
    ),
    Operation(
        "measures.top_box",
        lambda c: csi.measures.top_box(c.survey, items(c), by="firm").table,
        {"n": (1, N), "G": (1, G)},
        FLOOR,
    ),
    Operation(
        "measures.top_box, differences",
        lambda c: csi.measures.top_box(c.survey, items(c), by="firm").differences,
        {"n": (1, N), "G": (2, FEW)},
        FLOOR,
    ),
    Operation(
        "measures.answer_shares",
        lambda c: csi.measures.answer_shares(c.survey, items(c)[0], by="firm").table,
        {"n": (1, N), "G": (1, G)},
        FLOOR,
    ),
    Operation(
        "measures.weighted_satisfaction",
        lambda c: (
            csi.measures.weighted_satisfaction(
                c.survey, satisfaction=items(c), importance=items(c), by="firm"
            ).table
        ),
        {"n": (1, N), "G": (1, G)},
        FLOOR,
    ),
    Operation(
        "measures.service_gap",
        lambda c: (
            csi.measures.service_gap(
                c.survey, expected=items(c)[:1], perceived=items(c)[1:], by="firm"
            ).table
        ),
        {"n": (1, N), "G": (1, G)},
        FLOOR,
    ),
    Operation(
        "measures.value_balance",
        lambda c: csi.measures.value_balance(c.survey, *items(c), by="firm").table,
        {"n": (1, N), "G": (1, G)},
        FLOOR,
    ),
    Operation(
        "measures.abc_classes",
        lambda c: csi.measures.abc_classes(c.survey, items(c)[0], satisfaction=items(c)[1]).table,
        {"n": (1, N)},
        FLOOR,
    ),
    Operation(
        "measures.net_promoter",
        lambda c: csi.measures.net_promoter(c.survey, items(c)[0], by="firm").table,
        {"n": (1, N), "G": (1, G)},
        FLOOR,
    ),
)
