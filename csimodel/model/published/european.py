"""European models: Sweden, Norway, Switzerland, and the European index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from csimodel.arguments import checked
from csimodel.model.model import Model
from csimodel.model.published.build import build

_ECSI_ITEMS = {
    "Image": ("IMAG1", "IMAG2", "IMAG3", "IMAG4", "IMAG5"),
    "Expectation": ("CUEX1", "CUEX2", "CUEX3"),
    "Quality": ("PERQ1", "PERQ2", "PERQ3", "PERQ4", "PERQ5", "PERQ6", "PERQ7"),
    "Value": ("PERV1", "PERV2"),
    "Satisfaction": ("CUSA1", "CUSA2", "CUSA3"),
    "Complaints": ("CUSCO",),
    "Loyalty": ("CUSL1", "CUSL2", "CUSL3"),
}
_ECSI_PATHS = {
    "Expectation": ("Image",),
    "Quality": ("Expectation",),
    "Value": ("Expectation", "Quality"),
    "Satisfaction": ("Image", "Expectation", "Quality", "Value"),
    "Complaints": ("Satisfaction",),
    "Loyalty": ("Image", "Satisfaction", "Complaints"),
}
_ECSI_QUALITIES = {
    "ProductQuality": ("PERQ1", "PERQ2", "PERQ4", "PERQ5", "PERQ6"),
    "ServiceQuality": ("PERQ3", "PERQ7"),
}

_SWEDISH_ITEMS = {
    "Expectation": ("EXP1",),
    "Performance": ("PERF1", "PERF2"),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Complaints": ("COMP1", "COMP2"),
    "Loyalty": ("LOY1", "LOY2"),
}
_SWEDISH_PATHS = {
    "Performance": ("Expectation",),
    "Satisfaction": ("Expectation", "Performance"),
    "Complaints": ("Satisfaction",),
    "Loyalty": ("Satisfaction", "Complaints"),
}


_NORWEGIAN_ITEMS = {
    "Expectation": ("EXP1", "EXP2", "EXP3"),
    "Quality": ("QUAL1", "QUAL2", "QUAL3"),
    "Value": ("VAL1", "VAL2"),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Complaints": ("COMP1",),
    "Loyalty": ("LOY1", "LOY2", "LOY3"),
    "Image": ("IMG1", "IMG2", "IMG3"),
}
_NORWEGIAN_PATHS = {
    "Quality": ("Expectation",),
    "Value": ("Expectation", "Quality"),
    "Satisfaction": ("Expectation", "Quality", "Value"),
    "Complaints": ("Satisfaction",),
    "Loyalty": ("Satisfaction", "Complaints", "Image"),
    "Image": ("Satisfaction",),
}


_NORWEGIAN_2001_ITEMS = {
    "Tangibles": ("TANG1", "TANG2"),
    "Reliability": ("RELI1", "RELI2"),
    "Responsiveness": ("RESP1", "RESP2"),
    "Assurance": ("ASSU1", "ASSU2"),
    "Empathy": ("EMPA1", "EMPA2"),
    "PriceIndex": ("PRICE1", "PRICE2"),
    "ComplaintHandling": ("HAND1",),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Image": ("IMG1", "IMG2", "IMG3"),
    "AffectiveCommitment": ("AFF1", "AFF2", "AFF3"),
    "CalculativeCommitment": ("CALC1", "CALC2", "CALC3"),
    "Loyalty": ("LOY1", "LOY2", "LOY3"),
}
_NORWEGIAN_2001_PATHS = {
    "Satisfaction": (
        "Tangibles",
        "Reliability",
        "Responsiveness",
        "Assurance",
        "Empathy",
        "PriceIndex",
        "ComplaintHandling",
    ),
    "Image": ("Satisfaction",),
    "AffectiveCommitment": ("Satisfaction",),
    "CalculativeCommitment": ("Satisfaction",),
    "Loyalty": (
        "PriceIndex",
        "ComplaintHandling",
        "Satisfaction",
        "Image",
        "AffectiveCommitment",
        "CalculativeCommitment",
    ),
}


_SWISS_ITEMS = {
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Dialogue": ("DIA1", "DIA2", "DIA3"),
    "Loyalty": ("LOY1", "LOY2", "LOY3"),
}
_SWISS_PATHS = {
    "Dialogue": ("Satisfaction",),
    "Loyalty": ("Satisfaction", "Dialogue"),
}


@checked
def ecsi(
    items: Mapping[str, str | Sequence[str]] | None = None,
    *,
    quality: Literal["one", "two"] = "one",
    complaints: bool = True,
) -> Model:
    """Return the European Customer Satisfaction Index model: 7 constructs, 12 paths.

    Parameters
    ----------
    items
        Your own columns for any of Image, Expectation, Quality, Value, Satisfaction,
        Complaints, Loyalty; by default those of the mobile-phone data (`load_mobi`).

    quality
        ``"two"`` has the quality of product (hardware) and of service apart, ProductQuality and
        ServiceQuality in the place of Quality, each with its paths.
    complaints
        Whether complaints are part of the model, as in the original; without them 10 paths.

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
    blocks: dict[str, Sequence[str]] = {}
    for construct, block in _ECSI_ITEMS.items():
        if construct == "Quality" and quality == "two":
            blocks |= _ECSI_QUALITIES
        elif construct != "Complaints" or complaints:
            blocks[construct] = block
    paths: dict[str, Sequence[str]] = {}
    for target, sources in _ECSI_PATHS.items():
        own = [part for source in sources for part in _parts(source, blocks)]
        paths |= dict.fromkeys(_parts(target, blocks), own)
    return build("ECSI", blocks, paths, items)


def _parts(construct: str, blocks: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return what stands for a construct in a variant: itself, two qualities, or nothing."""
    if construct in blocks:
        return (construct,)
    return tuple(_ECSI_QUALITIES) if construct == "Quality" else ()


@checked
def swedish(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the Swedish Customer Satisfaction Barometer model (1989).

    Perceived performance stands for value: quality given the price, and price given the quality.

    Parameters
    ----------
    items
        Your own columns for any of Expectation, Performance, Satisfaction, Complaints,
        Loyalty.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Fornell, C. (1992). A national customer satisfaction barometer: the Swedish experience.
    Journal of Marketing 56(1), 6-21. https://doi.org/10.1177/002224299205600103

    Examples
    --------
    >>> model = swedish()
    >>> len(model.construct_names), len(model.paths)
    (5, 6)
    """
    return build("SCSB", _SWEDISH_ITEMS, _SWEDISH_PATHS, items)


@checked
def norwegian(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the first Norwegian model: the American one with corporate image.

    Image drives loyalty. **Uncertain**: that satisfaction drives image in the first model, as in
    the second.

    Parameters
    ----------
    items
        Your own columns for any of Expectation, Quality, Value, Satisfaction, Complaints,
        Loyalty, Image.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Johnson, M. D., Gustafsson, A., Andreassen, T. W., Lervik, L., Cha, J. (2001). The evolution
    and future of national customer satisfaction index models. Journal of Economic Psychology 22,
    217-245. https://doi.org/10.1016/S0167-4870(01)00030-7

    Examples
    --------
    >>> model = norwegian()
    >>> len(model.construct_names), len(model.paths)
    (7, 11)
    """
    return build("NCSB", _NORWEGIAN_ITEMS, _NORWEGIAN_PATHS, items)


@checked
def norwegian_2001(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the Norwegian model of 2001: service, price, complaints, image, commitment.

    Image is a consequence of satisfaction, and loyalty depends on affective and calculative
    commitment. Those who complained only can say how it was handled: fit the model to them, or
    leave the construct out of the text.

    Parameters
    ----------
    items
        Your own columns for any of Tangibles, Reliability, Responsiveness, Assurance,
        Empathy, PriceIndex, ComplaintHandling, Satisfaction, Image, AffectiveCommitment,
        CalculativeCommitment, Loyalty.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Johnson, M. D., Gustafsson, A., Andreassen, T. W., Lervik, L., Cha, J. (2001). The evolution
    and future of national customer satisfaction index models. Journal of Economic Psychology 22,
    217-245. https://doi.org/10.1016/S0167-4870(01)00030-7

    Examples
    --------
    >>> model = norwegian_2001()
    >>> len(model.construct_names), len(model.paths)
    (12, 16)
    """
    return build("NCSB 2001", _NORWEGIAN_2001_ITEMS, _NORWEGIAN_2001_PATHS, items)


@checked
def swiss(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the Swiss model (1998): satisfaction, customer dialogue, loyalty.

    **Uncertain**: the path from dialogue to loyalty.

    Parameters
    ----------
    items
        Your own columns for any of Satisfaction, Dialogue, Loyalty.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Bruhn, M., Grund, M. A. (2000). Theory, development and implementation of national customer
    satisfaction indices: the Swiss Index of Customer Satisfaction (SWICS). Total Quality
    Management 11(7), 1017-1028. https://doi.org/10.1080/09544120050135542

    Examples
    --------
    >>> model = swiss()
    >>> len(model.construct_names), len(model.paths)
    (3, 3)
    """
    return build("SWICS", _SWISS_ITEMS, _SWISS_PATHS, items)
