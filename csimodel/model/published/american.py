"""Models of the American family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from csimodel.arguments import checked
from csimodel.model.model import Model
from csimodel.model.published.build import build

_ACSI_ITEMS = {
    "Expectation": ("OVERALLX", "CUSTOMX", "WRONGX"),
    "Quality": ("OVERALLQ", "CUSTOMQ", "WRONGQ"),
    "Value": ("PQ", "QP"),
    "Satisfaction": ("SATIS", "CONFIRM", "IDEAL"),
    "Complaints": ("COMP",),
    "Loyalty": ("REPUR",),
}
_PRICE_TOLERANCE = ("HIGHPTOL", "LOWPTOL")
_ACSI_PATHS = {
    "Quality": ("Expectation",),
    "Value": ("Expectation", "Quality"),
    "Satisfaction": ("Expectation", "Quality", "Value"),
    "Complaints": ("Satisfaction",),
    "Loyalty": ("Satisfaction", "Complaints"),
}

_ACSI_TWO_QUALITIES_ITEMS = {
    "Expectation": ("EXP1", "EXP2", "EXP3"),
    "ProductQuality": ("PROD1", "PROD2", "PROD3"),
    "ServiceQuality": ("SERV1", "SERV2", "SERV3"),
    "Value": ("VAL1", "VAL2"),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Complaints": ("COMP1",),
    "Loyalty": ("LOY1", "LOY2", "LOY3"),
}
_ACSI_TWO_QUALITIES_PATHS = {
    "ProductQuality": ("Expectation",),
    "ServiceQuality": ("Expectation",),
    "Value": ("Expectation", "ProductQuality", "ServiceQuality"),
    "Satisfaction": ("Expectation", "ProductQuality", "ServiceQuality", "Value"),
    "Complaints": ("Satisfaction",),
    "Loyalty": ("Satisfaction", "Complaints"),
}


_ACSI_GOVERNMENT_ITEMS = {
    "Expectation": ("EXP1",),
    "Process": ("PROC1", "PROC2"),
    "Information": ("INFO1", "INFO2"),
    "CustomerService": ("CS1", "CS2"),
    "Website": ("WEB1", "WEB2"),
    "Quality": ("QUAL1", "QUAL2"),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Complaints": ("COMP1",),
    "Trust": ("TRU1", "TRU2"),
}
_ACSI_GOVERNMENT_PATHS = {
    "Quality": ("Expectation", "Process", "Information", "CustomerService", "Website"),
    "Satisfaction": ("Expectation", "Quality"),
    "Complaints": ("Satisfaction",),
    "Trust": ("Satisfaction", "Complaints"),
}


_KOREAN_ITEMS = {
    "Expectation": ("EXP1", "EXP2", "EXP3"),
    "Quality": ("QUAL1", "QUAL2", "QUAL3"),
    "Value": ("VAL1", "VAL2"),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Complaints": ("COMP1",),
    "Loyalty": ("LOY1", "LOY2", "LOY3"),
}
_KOREAN_PATHS = {
    "Quality": ("Expectation",),
    "Value": ("Expectation", "Quality"),
    "Satisfaction": ("Expectation", "Quality", "Value"),
    "Complaints": ("Satisfaction",),
    "Loyalty": ("Satisfaction", "Complaints"),
}


_BRITISH_ITEMS = {
    "Expectation": ("EXP1", "EXP2", "EXP3"),
    "Quality": ("QUAL1", "QUAL2", "QUAL3"),
    "Value": ("VAL1", "VAL2"),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Complaints": ("COMP1",),
    "Loyalty": ("LOY1", "LOY2", "LOY3"),
}
_BRITISH_PATHS = {
    "Quality": ("Expectation",),
    "Value": ("Expectation", "Quality"),
    "Satisfaction": ("Expectation", "Quality", "Value"),
    "Complaints": ("Satisfaction",),
    "Loyalty": ("Satisfaction", "Complaints"),
}


_HONG_KONG_ITEMS = {
    "Characteristics": ("CHAR1", "CHAR2", "CHAR3"),
    "Expectation": ("EXP1", "EXP2", "EXP3"),
    "Quality": ("QUAL1", "QUAL2", "QUAL3"),
    "Value": ("VAL1", "VAL2"),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Complaints": ("COMP1",),
    "Loyalty": ("LOY1", "LOY2", "LOY3"),
}
_HONG_KONG_PATHS = {
    "Expectation": ("Characteristics",),
    "Quality": ("Characteristics", "Expectation"),
    "Value": ("Expectation", "Quality"),
    "Satisfaction": ("Expectation", "Quality", "Value"),
    "Complaints": ("Satisfaction",),
    "Loyalty": ("Satisfaction", "Complaints"),
}


_MALAYSIAN_ITEMS = {
    "Image": ("IMG1", "IMG2", "IMG3", "IMG4", "IMG5"),
    "Expectation": ("EXP1", "EXP2", "EXP3"),
    "Quality": ("QUAL1", "QUAL2", "QUAL3"),
    "Value": ("VAL1", "VAL2"),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Complaints": ("COMP1",),
    "Loyalty": ("LOY1", "LOY2", "LOY3"),
}
_MALAYSIAN_PATHS = {
    "Expectation": ("Image",),
    "Quality": ("Expectation",),
    "Value": ("Expectation", "Quality"),
    "Satisfaction": ("Image", "Expectation", "Quality", "Value"),
    "Complaints": ("Satisfaction",),
    "Loyalty": ("Image", "Satisfaction", "Complaints"),
}


@checked
def acsi(
    items: Mapping[str, str | Sequence[str]] | None = None, *, price_tolerance: bool = False
) -> Model:
    """Return the American Customer Satisfaction Index model: 6 constructs, 9 paths.

    Loyalty is measured by the repurchase intention alone unless `price_tolerance` adds the index's
    two questions: the price rise tolerated, asked of those who would buy again, and the price cut
    needed, of those who would not. No respondent of the public data answered both, so they have no
    correlation there; `load_acsi2015` has both in one item as well, ``items={"Loyalty": ["REPUR",
    "TOLERANCE"]}``, and data of your own with one price question give it so, too.

    Parameters
    ----------
    items
        Your own columns for any of Expectation, Quality, Value, Satisfaction, Complaints,
        Loyalty; by default those of the public ACSI 2015 file (`load_acsi2015`).
    price_tolerance
        Whether loyalty has the two questions on price beside repurchase, three in all.

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
    loyalty = (*_ACSI_ITEMS["Loyalty"], *(_PRICE_TOLERANCE if price_tolerance else ()))
    return build("ACSI", {**_ACSI_ITEMS, "Loyalty": loyalty}, _ACSI_PATHS, items)


@checked
def acsi_two_qualities(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the American model with the quality of product and of service apart.

    As asked of utilities and durables: both qualities depend on expectations, and value and
    satisfaction on both.

    Parameters
    ----------
    items
        Your own columns for any of Expectation, ProductQuality, ServiceQuality, Value,
        Satisfaction, Complaints, Loyalty.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., Bryant, B. E. (1996). The American
    Customer Satisfaction Index: nature, purpose, and findings. Journal of Marketing 60(4), 7-18.
    https://doi.org/10.1177/002224299606000403

    Examples
    --------
    >>> model = acsi_two_qualities()
    >>> len(model.construct_names), len(model.paths)
    (7, 12)
    """
    return build("ACSI, two qualities", _ACSI_TWO_QUALITIES_ITEMS, _ACSI_TWO_QUALITIES_PATHS, items)


@checked
def acsi_government(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the American model for government services: no value, trust in the place of loyalty.

    Quality is driven by the process, information, customer service and the website of the agency.
    **Uncertain**: the path from expectations to quality, and that from complaints to trust, which
    no source that was read confirms; which drivers are asked differs between agencies.

    Parameters
    ----------
    items
        Your own columns for any of Expectation, Process, Information, CustomerService,
        Website, Quality, Satisfaction, Complaints, Trust.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., Bryant, B. E. (1996). The American
    Customer Satisfaction Index: nature, purpose, and findings. Journal of Marketing 60(4), 7-18.
    https://doi.org/10.1177/002224299606000403 The government model is described on the index's
    own pages.

    Examples
    --------
    >>> model = acsi_government()
    >>> len(model.construct_names), len(model.paths)
    (9, 10)
    """
    return build("ACSI, government", _ACSI_GOVERNMENT_ITEMS, _ACSI_GOVERNMENT_PATHS, items)


@checked
def korean(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the Korean National Customer Satisfaction Index model: the American one.

    The National Customer Satisfaction Index of Korea uses the American constructs and paths.

    Parameters
    ----------
    items
        Your own columns for any of Expectation, Quality, Value, Satisfaction, Complaints,
        Loyalty.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., Bryant, B. E. (1996). The American
    Customer Satisfaction Index: nature, purpose, and findings. Journal of Marketing 60(4), 7-18.
    https://doi.org/10.1177/002224299606000403

    Examples
    --------
    >>> model = korean()
    >>> len(model.construct_names), len(model.paths)
    (6, 9)
    """
    return build("NCSI Korea", _KOREAN_ITEMS, _KOREAN_PATHS, items)


@checked
def british(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the structural model of the British national index: the American one.

    Not to be taken for the UKCSI of the Institute of Customer Service, which is a mean of ratings
    and no structural model.

    Parameters
    ----------
    items
        Your own columns for any of Expectation, Quality, Value, Satisfaction, Complaints,
        Loyalty.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., Bryant, B. E. (1996). The American
    Customer Satisfaction Index: nature, purpose, and findings. Journal of Marketing 60(4), 7-18.
    https://doi.org/10.1177/002224299606000403

    Examples
    --------
    >>> model = british()
    >>> len(model.construct_names), len(model.paths)
    (6, 9)
    """
    return build("NCSI UK", _BRITISH_ITEMS, _BRITISH_PATHS, items)


@checked
def hong_kong(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the Hong Kong model: the American one with consumer characteristics.

    Age, education and income are exogenous; products are rated, and weighted by household
    spending. **Uncertain**: the paths from characteristics to expectations and quality.

    Parameters
    ----------
    items
        Your own columns for any of Characteristics, Expectation, Quality, Value,
        Satisfaction, Complaints, Loyalty.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Chan, L. K., Hui, Y. V., Lo, H. P., Tse, S. K., Tso, G. K. F., Wu, M. L. (2003). Consumer
    satisfaction index: new practice and findings. European Journal of Marketing 37(5/6), 872-909.
    https://doi.org/10.1108/03090560310465189

    Examples
    --------
    >>> model = hong_kong()
    >>> len(model.construct_names), len(model.paths)
    (7, 11)
    """
    return build("HKCSI", _HONG_KONG_ITEMS, _HONG_KONG_PATHS, items)


@checked
def malaysian(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return a model of the Malaysian index (2000): the American family with image.

    **Uncertain**: all paths of image; they are those of the European index, since no source that
    was read gives them.

    Parameters
    ----------
    items
        Your own columns for any of Image, Expectation, Quality, Value, Satisfaction,
        Complaints, Loyalty.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., Bryant, B. E. (1996). The American
    Customer Satisfaction Index: nature, purpose, and findings. Journal of Marketing 60(4), 7-18.
    https://doi.org/10.1177/002224299606000403

    Examples
    --------
    >>> model = malaysian()
    >>> len(model.construct_names), len(model.paths)
    (7, 12)
    """
    return build("MCSI", _MALAYSIAN_ITEMS, _MALAYSIAN_PATHS, items)
