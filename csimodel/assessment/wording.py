"""Sentences of verdicts: whole, with named fields, by what was found."""

from __future__ import annotations

from csimodel.assessment.verdicts import IMPOSSIBLE, NOT_JUDGED, TOO_HIGH

EXACT = "exact"  # what follows from too few rows, whatever was answered

UNJUDGED = {
    "single": (
        "{construct!r} is measured by one question, so its reliability cannot be judged and its "
        "errors go into the results uncorrected; two or three questions would tell."
    ),
    "formed": (
        "The questions of {construct!r} form it and need not agree, so reliability and shared "
        "variance do not apply to it; look at the weights and at how far its questions repeat each "
        "other (item_vif)."
    ),
}
CONSISTENCY = {
    NOT_JUDGED: (
        "{label} of {construct!r} is not defined, because its weights are not those of mode A."
    ),
    "below": (
        "The reliability of {construct!r} is estimated below 0 ({label} {value:.3f}), which cannot "
        "be; its questions contradict each other, so look for one asked the other way round."
    ),
    "above": (
        "The reliability of {construct!r} is estimated above 1 ({label} {value:.3f}), which cannot "
        "be; its questions do not behave as measures of one thing."
    ),
    TOO_HIGH: (
        "The questions of {construct!r} nearly repeat each other ({label} {value:.3f}); fewer of "
        "them would say as much."
    ),
    "good": (
        "The questions of {construct!r} agree well enough to be read as one score ({label} "
        "{value:.3f})."
    ),
    "acceptable": (
        "The questions of {construct!r} agree moderately ({label} {value:.3f}): enough for "
        "exploring, little for decisions."
    ),
    "poor": (
        "The questions of {construct!r} hardly agree ({label} {value:.3f}), so their score is "
        "noisy; look for a question that does not belong."
    ),
}
AVE = {
    NOT_JUDGED: (
        "What {construct!r} explains of its questions has no value, as its loadings have none."
    ),
    IMPOSSIBLE: (
        "{construct!r} would explain {percent:.0f} % of its questions' variation, which cannot be."
    ),
    "good": (
        "{construct!r} explains {percent:.0f} % of the variation in its questions, half or more."
    ),
    "poor": (
        "{construct!r} explains only {percent:.0f} % of the variation in its questions; the rest "
        "is error or something else."
    ),
}
LOADING = {
    NOT_JUDGED: "The loading of {item!r} has no value, as {construct!r} has none.",
    IMPOSSIBLE: "{item!r} would measure {construct!r} beyond perfection (loading {value:.3f}).",
    "opposite": (
        "{item!r} measures the opposite of {construct!r} (loading {value:.3f}); declare it "
        "reversed, or check its wording."
    ),
    "good": "{item!r} measures {construct!r} well (loading {value:.3f}).",
    "acceptable": (
        "{item!r} measures {construct!r} with as much noise as signal, or more (loading "
        "{value:.3f}); keep it if its content is needed."
    ),
    "poor": (
        "{item!r} hardly measures {construct!r} (loading {value:.3f}); leave it out or check its "
        "wording."
    ),
}
HTMT = {  # by verdict, and whether one of the two is a single question
    (NOT_JUDGED, False): (
        "HTMT does not apply to {second!r} and {first!r}, because it needs questions that agree "
        "within each construct."
    ),
    ("good", False): "Respondents tell {second!r} and {first!r} apart (HTMT {value:.3f}).",
    ("good", True): (
        "Respondents tell {second!r} and {first!r} apart (HTMT {value:.3f}); with a single "
        "question this comparison is lenient."
    ),
    ("acceptable", False): (
        "Respondents tell {second!r} and {first!r} apart if the two are close in meaning (HTMT "
        "{value:.3f})."
    ),
    ("acceptable", True): (
        "Respondents tell {second!r} and {first!r} apart if the two are close in meaning (HTMT "
        "{value:.3f}); with a single question this comparison is lenient."
    ),
    ("poor", False): (
        "Respondents answer {second!r} and {first!r} as if they were one thing (HTMT "
        "{value:.3f}); merge them or change their questions."
    ),
}
HTMT_INTERVAL = {
    NOT_JUDGED: (
        "Whether {second!r} and {first!r} are one and the same cannot be tested: HTMT has no "
        "interval with these data."
    ),
    "good": (
        "That {second!r} and {first!r} are one and the same can be ruled out (HTMT up to "
        "{value:.3f} with {percent:g} % confidence)."
    ),
    "poor": (
        "That {second!r} and {first!r} are one and the same cannot be ruled out (HTMT up to "
        "{value:.3f} with {percent:g} % confidence)."
    ),
}
FORNELL_LARCKER_UNKNOWN = (
    "Whether {construct!r} is tied more closely to its own questions than to others cannot be "
    "judged, because loadings or correlations have no value."
)
FORNELL_LARCKER = {
    IMPOSSIBLE: (
        "{construct!r} and {other!r} would correlate {most:.3f}, beyond 1, which cannot be."
    ),
    "good": (
        "{construct!r} is tied more closely to its own questions than to {other!r} ({value:.3f} "
        "against {most:.3f})."
    ),
    "poor": (
        "{construct!r} is tied more closely to {other!r} than to its own questions ({value:.3f} "
        "against {most:.3f})."
    ),
}
ITEM_VIF = {
    "good": "{item!r} does not repeat the other questions of {construct!r} (VIF {value:.3f}).",
    "acceptable": "{item!r} partly repeats the other questions of {construct!r} (VIF {value:.3f}).",
    IMPOSSIBLE: (
        "Whether {item!r} repeats the other questions of {construct!r} cannot be told, as its "
        "variance inflation is below 1 (VIF {value:.3f}), which cannot be."
    ),
    NOT_JUDGED: (
        "Whether {item!r} repeats the other questions of {construct!r} cannot be told, because the "
        "correlations of these contradict each other."
    ),
    EXACT: (
        "In {rows} rows {item!r} follows exactly from the other questions of {construct!r}, "
        "whatever was answered, so how far it repeats them is not judged."
    ),
}
REPEATING = (
    "{item!r} repeats the other questions of {construct!r} (VIF {value:.3f}), so it adds little; "
    "one of them could go."
)
REPEATING_FORMED = (
    "{item!r} repeats the other questions of {construct!r} (VIF {value:.3f}), so its weight is "
    "unsure; drop or combine some of them."
)
ANTECEDENT_VIF = {
    "good": (
        "The effect of {antecedent!r} on {outcome!r} can be told from those of the other "
        "antecedents (VIF {value:.3f})."
    ),
    "acceptable": (
        "{antecedent!r} overlaps with the other antecedents of {outcome!r} (VIF {value:.3f}), "
        "which makes its effect less sure."
    ),
    "poor": (
        "{antecedent!r} overlaps so much with the other antecedents of {outcome!r} (VIF "
        "{value:.3f}) that its own effect can hardly be told."
    ),
    IMPOSSIBLE: (
        "The variance inflation of {antecedent!r} among the antecedents of {outcome!r} is below 1 "
        "(VIF {value:.3f}), which cannot be."
    ),
    NOT_JUDGED: (
        "The antecedents of {outcome!r} have correlations that contradict each other, so their "
        "effects are not to be trusted."
    ),
    EXACT: (
        "In {rows} rows the antecedents of {outcome!r} follow exactly from each other, whatever "
        "was answered, so whether the effect of {antecedent!r} can be told is not judged."
    ),
}
FULL_VIF = {
    "good": "{construct!r} can be told from all other constructs (VIF {value:.3f}).",
    "poor": (
        "{construct!r} repeats the other constructs (VIF {value:.3f}), as answers made by a common "
        "method do, or constructs that are near each other."
    ),
    NOT_JUDGED: (
        "The constructs have correlations that contradict each other, so how far {construct!r} "
        "repeats the others is not known."
    ),
    EXACT: (
        "In {rows} rows the constructs follow exactly from each other, whatever was answered, so "
        "how far {construct!r} repeats the others is not judged."
    ),
}
F2 = {
    "large": (
        "{antecedent!r} makes a large difference to how well {outcome!r} is explained (f² "
        "{value:.3f})."
    ),
    "medium": (
        "{antecedent!r} makes a medium difference to how well {outcome!r} is explained (f² "
        "{value:.3f})."
    ),
    "small": (
        "{antecedent!r} makes a small difference to how well {outcome!r} is explained (f² "
        "{value:.3f})."
    ),
    "negligible": (
        "{antecedent!r} makes a negligible difference to how well {outcome!r} is explained (f² "
        "{value:.3f})."
    ),
    NOT_JUDGED: (
        "What {antecedent!r} adds to {outcome!r} cannot be computed, because the antecedents "
        "overlap completely or explain all of it."
    ),
    EXACT: (
        "There are only {rows} rows for the antecedents of {outcome!r}, which explain it whatever "
        "was answered, so what {antecedent!r} adds is not judged."
    ),
}
R2 = {
    "substantial": (
        "The model explains {percent:.0f} % of the differences in {construct!r}, which is "
        "substantial."
    ),
    "moderate": (
        "The model explains {percent:.0f} % of the differences in {construct!r}, which is moderate."
    ),
    "weak": (
        "The model explains {percent:.0f} % of the differences in {construct!r}, which is weak."
    ),
    "very weak": (
        "The model explains {percent:.0f} % of the differences in {construct!r}, which is very "
        "weak."
    ),
    IMPOSSIBLE: (
        "The share of the differences in {construct!r} that the model explains is estimated at "
        "{value:.3f}, outside 0 to 1, which cannot be; its paths are not to be trusted either."
    ),
    NOT_JUDGED: "How much of {construct!r} is explained has no value, as its paths have none.",
    EXACT: (
        "There are only {rows} rows for the antecedents of {construct!r}, which explain it "
        "whatever was answered, so how much they explain is not judged."
    ),
}
SRMR = {
    "good": (
        "Judged by the {part}, correlations among questions are reproduced closely (SRMR "
        "{value:.3f})."
    ),
    "acceptable": (
        "Judged by the {part}, correlations among questions are reproduced roughly (SRMR "
        "{value:.3f})."
    ),
    "poor": (
        "Judged by the {part}, correlations among questions are not reproduced (SRMR {value:.3f})."
    ),
    NOT_JUDGED: "Judged by the {part}, nothing can be said, as it implies no correlations.",
}
SRMR_TERMS = (
    "Overall fit cannot be judged, because a model with the term {term!r} implies no correlations "
    "among questions."
)
SRMR_UNCORRECTED = {
    "acceptable": (
        "Judged by the {part}, correlations among questions are reproduced roughly (SRMR "
        "{value:.3f}); "
        "uncorrected PLS overstates the loadings of reflective constructs, which counts against it "
        "here, so judge this by PLS(consistent=True)."
    ),
    "poor": (
        "Judged by the {part}, correlations among questions are not reproduced (SRMR "
        "{value:.3f}); "
        "uncorrected PLS overstates the loadings of reflective constructs, which counts against it "
        "here, so judge this by PLS(consistent=True)."
    ),
}
