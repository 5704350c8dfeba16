"""Published customer satisfaction index models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from csimodel.arguments import checked
from csimodel.model.constructs import Path, reflective
from csimodel.model.model import Model

_ECSI_ITEMS = {
    "Image": ("IMAG1", "IMAG2", "IMAG3", "IMAG4", "IMAG5"),
    "Expectation": ("CUEX1", "CUEX2", "CUEX3"),
    "Quality": ("PERQ1", "PERQ2", "PERQ3", "PERQ4", "PERQ5", "PERQ6", "PERQ7"),
    "Value": ("PERV1", "PERV2"),
    "Satisfaction": ("CUSA1", "CUSA2", "CUSA3"),
    "Complaints": ("CUSCO",),
    "Loyalty": ("CUSL1", "CUSL2", "CUSL3"),
}
_ECSI_PATHS = (
    ("Image", "Expectation"),
    ("Expectation", "Quality"),
    ("Expectation", "Value"),
    ("Quality", "Value"),
    ("Image", "Satisfaction"),
    ("Expectation", "Satisfaction"),
    ("Quality", "Satisfaction"),
    ("Value", "Satisfaction"),
    ("Satisfaction", "Complaints"),
    ("Image", "Loyalty"),
    ("Satisfaction", "Loyalty"),
    ("Complaints", "Loyalty"),
)
_ACSI_ITEMS = {
    "Expectation": ("OVERALLX", "CUSTOMX", "WRONGX"),
    "Quality": ("OVERALLQ", "CUSTOMQ", "WRONGQ"),
    "Value": ("PQ", "QP"),
    "Satisfaction": ("SATIS", "CONFIRM", "IDEAL"),
    "Complaints": ("COMP",),
    "Loyalty": ("REPUR",),
}
_ACSI_PATHS = (
    ("Expectation", "Quality"),
    ("Expectation", "Value"),
    ("Quality", "Value"),
    ("Expectation", "Satisfaction"),
    ("Quality", "Satisfaction"),
    ("Value", "Satisfaction"),
    ("Satisfaction", "Complaints"),
    ("Satisfaction", "Loyalty"),
    ("Complaints", "Loyalty"),
)


@checked
def ecsi(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the European Customer Satisfaction Index model: 7 constructs, 12 paths.

    Parameters
    ----------
    items
        Your own columns for any of Image, Expectation, Quality, Value, Satisfaction,
        Complaints, Loyalty; by default those of the mobile-phone data (`load_mobi`).

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M., Lauro, C. (2005). PLS path
    modeling. Computational Statistics & Data Analysis 48, 159-205.
    https://doi.org/10.1016/j.csda.2004.03.005

    Examples
    --------
    >>> model = ecsi()
    >>> len(model.items), len(model.paths)
    (24, 12)
    """
    return _build("ECSI", _ECSI_ITEMS, _ECSI_PATHS, items)


@checked
def acsi(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the American Customer Satisfaction Index model: 6 constructs, 9 paths.

    Loyalty is measured by the repurchase intention alone: the price tolerance questions
    of the public data are asked of one part of the respondents or the other, never of both.

    Parameters
    ----------
    items
        Your own columns for any of Expectation, Quality, Value, Satisfaction, Complaints,
        Loyalty; by default those of the public ACSI 2015 file (`load_acsi2015`).

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., Bryant, B. E. (1996). The American
    Customer Satisfaction Index: nature, purpose, and findings. Journal of Marketing 60(4),
    7-18. https://doi.org/10.1177/002224299606000403

    Examples
    --------
    >>> acsi(items={"Loyalty": ["repurchase", "recommend"]}).blocks["Loyalty"]
    ('repurchase', 'recommend')
    """
    return _build("ACSI", _ACSI_ITEMS, _ACSI_PATHS, items)


def _build(
    name: str,
    blocks: Mapping[str, tuple[str, ...]],
    paths: tuple[tuple[str, str], ...],
    items: Mapping[str, str | Sequence[str]] | None,
) -> Model:
    model = Model(
        constructs=tuple(reflective(construct, block) for construct, block in blocks.items()),
        paths=tuple(Path(*path) for path in paths),
        name=name,
    )
    return model if items is None else model.with_items(items)
