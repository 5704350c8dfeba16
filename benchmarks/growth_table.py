"""Every operation that is measured, and every public function that is not, with the reason."""

from growth_fits import FITS
from growth_instrument import INSTRUMENT
from growth_measures import MEASURES
from growth_outcomes import OUTCOMES

OPERATIONS = (*FITS, *INSTRUMENT, *MEASURES, *OUTCOMES)

CONSTANT = "arithmetic of a few numbers, which grows with nothing"
PICTURE = "draws the rows of one small table, as plots.intervals, which is measured"
EXCEPTIONS = {
    "composite": "makes one value",
    "language": "sets one value",
    "measures.write_questionnaire": "writes a file with a row for each question",
    "measures.survey_plan": "a page with a row for each question",
    "sample_plan": "arithmetic of a few strata; its simulation grows with the samples asked for",
    "reflective": "makes one value",
    "table": "writes what other results hold, a row an entry",
    "register": "puts one value into a table",
    "load_acsi2015": "reads one file, by read_survey",
    "load_mobi": "reads one small file",
    "read_codebook": "reads one small file, whose size is bounded",
    "group_reliability": "two sums over the groups given",
    **dict.fromkeys(
        (
            "money.acquisition_or_retention",
            "money.break_even_spending",
            "money.complaint_budget",
            "money.fewer_defections",
            "money.lifetime_value",
            "money.more_complaints",
            "money.net_present_value",
            "money.profit_of_retention",
        ),
        CONSTANT,
    ),
    "money.profits_of_drivers": "money.profit_of_driver for each of a few drivers",
    **dict.fromkeys(
        (
            "plots.calibration",
            "plots.compare",
            "plots.contributions",
            "plots.heat_map",
            "plots.importance_performance",
            "plots.loadings",
            "plots.lorenz",
            "plots.index_bars",
            "plots.micom",
            "plots.moderation",
            "plots.money_steps",
            "plots.necessary_conditions",
            "plots.profile",
            "plots.ranking",
            "plots.repurchase_curves",
            "plots.segments",
            "plots.slopes",
            "plots.small_multiples",
            "plots.trend",
            "plots.waterfall",
        ),
        PICTURE,
    ),
    "plots.to_dot": "as plots.path_diagram, less the layout",
    "plots.to_svg": "part of every picture measured",
    "literature.table": "a fixed table",
    "measures.branch_regression": "a few sums over the branches given",
    **dict.fromkeys(
        ("measures.bottom_box", "measures.enterprise_index", "measures.net_score"),
        "as measures.top_box",
    ),
    **dict.fromkeys(
        (
            "measures.after_use_satisfaction",
            "measures.comparison",
            "measures.customer_value",
            "measures.disconfirmation",
            "measures.importance_weights",
            "measures.stated_importance",
        ),
        "functions of means of a few columns, as measures.weighted_satisfaction",
    ),
}
