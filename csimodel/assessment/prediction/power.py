"""Verdicts on predictive power: items set against their averages and a linear benchmark."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from csimodel.assessment.verdicts import NOT_JUDGED, Verdict

SHMUELI = "Shmueli et al. (2019), https://doi.org/10.1108/EJM-02-2019-0189"

_ASKED = "Q²predict above 0 and a smaller error than the linear benchmark, for all items"
_SENTENCES = {
    "high": (
        "All {items} items of {construct} are predicted better than by their averages and by the "
        "linear benchmark: high predictive power."
    ),
    "medium": (
        "At least half of the {items} items of {construct} ({better}) are predicted better than by "
        "their averages and by the linear benchmark: medium predictive power."
    ),
    "low": (
        "Fewer than half of the {items} items of {construct} ({better}) are predicted better than "
        "by their averages and by the linear benchmark: low predictive power."
    ),
    "none": (
        "None of the {items} items of {construct} is predicted better than both by its average and "
        "by the linear benchmark: no predictive power."
    ),
    NOT_JUDGED: (
        "The linear benchmark of {construct} cannot be estimated, so its predictive power is not "
        "judged."
    ),
}
_LOST = (
    "More than a tenth of the folds cannot be predicted, so the predictive power of {construct} is "
    "not judged."
)
_SINGLE = {
    "high": (
        "The item of {construct} is predicted better than by its average and by the linear "
        "benchmark: high predictive power."
    ),
    "none": (
        "The item of {construct} is not predicted better than both by its average and by the "
        "linear benchmark: no predictive power."
    ),
    NOT_JUDGED: _SENTENCES[NOT_JUDGED],
}


def judge_power(items: pd.DataFrame, metric: str, unusable: bool = False) -> Iterator[Verdict]:
    """Judge the predictive power of each construct.

    High where all its items have Q²predict above 0 and a smaller error than the linear benchmark,
    medium for at least half of them, low for fewer, none where there is no such item.

    Parameters
    ----------
    items
        Columns construct, q2_predict, and the metric with and without ``_lm``; a row an item.
    metric
        ``"rmse"`` or ``"mae"``.
    unusable
        Whether so many folds were lost that nothing is judged.

    References
    ----------
    Shmueli, G., Sarstedt, M., Hair, J. F., Cheah, J.-H., Ting, H., Vaithilingam, S., Ringle, C. M.
    (2019). Predictive model assessment in PLS-SEM: guidelines for using PLSpredict. European
    Journal of Marketing 53, 2322-2347. https://doi.org/10.1108/EJM-02-2019-0189

    Examples
    --------
    >>> items = pd.DataFrame({"construct": ["A", "A"], "q2_predict": [0.2, 0.1],
    ...                       "rmse": [1.0, 2.0], "rmse_lm": [1.1, 1.9]})
    >>> next(judge_power(items, "rmse")).verdict
    'medium'
    """
    owner = items["construct"].to_numpy(object)
    errors, benchmarks = items[metric].to_numpy(), items[f"{metric}_lm"].to_numpy()
    better = (items["q2_predict"].to_numpy() > 0) & (errors < benchmarks)
    known = np.isfinite(errors) & np.isfinite(benchmarks)
    for construct in dict.fromkeys(owner):
        own = owner == construct
        count, total = int(better[own].sum()), int(own.sum())
        if unusable or not known[own].all():
            word = NOT_JUDGED
        elif count == total:
            word = "high"
        elif count == 0:
            word = "none"
        else:
            word = "medium" if 2 * count >= total else "low"
        sentence = _SINGLE[word] if total == 1 else _SENTENCES[word]
        yield Verdict(
            "predictive_power",
            str(construct),
            count / total,
            _ASKED,
            word,
            SHMUELI,
            _LOST if unusable else sentence,
            {"construct": construct, "items": total, "better": count},
        )
