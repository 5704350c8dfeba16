"""`full_collinearity`: variance inflation of every construct among all others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from csimodel.arguments import checked
from csimodel.assessment import wording
from csimodel.assessment.judge_structure import exact_inflation
from csimodel.assessment.structure import full_vif
from csimodel.assessment.verdicts import NOT_JUDGED, Verdict, as_table, limit
from csimodel.bounds import THRESHOLDS
from csimodel.estimators import Fit, require_fit
from csimodel.floats import own_errstate

_KOCK = THRESHOLDS["full vif"].source


@own_errstate
@checked
def full_collinearity(fit: Fit) -> pd.DataFrame:
    """Judge how far each construct repeats all others, as a common method of asking makes them do.

    Parameters
    ----------
    fit
        Of two constructs or more.

    Returns
    -------
    DataFrame
        As the verdicts of `assess`: measure, subject, value, threshold, verdict (``"good"`` below
        3.3, else ``"poor"``; ``"not judged"`` without a value, and where no more rows than
        constructs make every value infinite, whatever was answered), source, sentence.

    Raises
    ------
    EstimationError
        When the fit has no solution.

    Notes
    -----
    The value is `full_vif`. A large one may come from a common method, or from constructs that are
    near each other, as those of satisfaction models are; it cannot tell which. Where correlations
    are freed of measurement error values are larger (Kock allows 5 for them), and where these are
    not positive definite there is none.

    References
    ----------
    Kock, N. (2015). Common method bias in PLS-SEM: a full collinearity assessment approach.
    International Journal of e-Collaboration 11(4), 1-10. https://doi.org/10.4018/ijec.2015100101

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> csi.assessment.full_collinearity(fit).query("verdict == 'poor'")["subject"].tolist()
    ['Quality', 'Satisfaction']
    """
    fit = require_fit(fit, "full_collinearity")
    fit.require_converged("full_collinearity")
    asked = limit("full vif") if fit.estimator.paths_between_scores else limit("full vif corrected")
    verdicts = []
    values = full_vif(fit.solution)
    exact = exact_inflation(values, fit.n)
    for name, value in zip(fit.model.construct_names, values, strict=True):
        known = not (exact or np.isnan(value))
        word = NOT_JUDGED if not known else "good" if value < asked else "poor"
        verdicts.append(
            Verdict(
                "full_vif",
                name,
                float(value),
                "below {asked:g}",
                word,
                _KOCK,
                wording.FULL_VIF[wording.EXACT if exact else word],
                {"construct": name, "asked": asked, "rows": fit.n},
            )
        )
    return as_table(verdicts)
