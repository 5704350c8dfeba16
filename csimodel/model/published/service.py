"""Models of services, customer value and the service-profit chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from csimodel.arguments import checked
from csimodel.model.constructs import Path
from csimodel.model.model import Model
from csimodel.model.published.build import build
from csimodel.model.terms import HigherOrder

_SERVICE_INDEX_ITEMS = {
    "CorePerformance": ("PERF1", "PERF2"),
    "ProcessAssurance": ("ASSU1", "ASSU2", "ASSU3"),
    "Completeness": ("COMPL1", "COMPL2"),
    "EaseOfUse": ("EASE1", "EASE2", "EASE3"),
    "Environment": ("ENV1", "ENV2"),
    "ServiceQuality": ("SERV1", "SERV2"),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Loyalty": ("LOY1", "LOY2", "LOY3"),
}
_SERVICE_INDEX_PATHS = {
    "ServiceQuality": (
        "CorePerformance",
        "ProcessAssurance",
        "Completeness",
        "EaseOfUse",
        "Environment",
    ),
    "Satisfaction": ("ServiceQuality",),
    "Loyalty": ("Satisfaction",),
}


_SERVICE_GAP_ITEMS = {
    "Tangibles": ("TANG1", "TANG2"),
    "Reliability": ("RELI1", "RELI2"),
    "Responsiveness": ("RESP1", "RESP2"),
    "Assurance": ("ASSU1", "ASSU2"),
    "Empathy": ("EMPA1", "EMPA2"),
    "ServiceQuality": ("SERV1", "SERV2"),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Loyalty": ("LOY1", "LOY2", "LOY3"),
}
_SERVICE_GAP_PATHS = {
    "ServiceQuality": ("Tangibles", "Reliability", "Responsiveness", "Assurance", "Empathy"),
    "Satisfaction": ("ServiceQuality",),
    "Loyalty": ("Satisfaction",),
}


_CUSTOMER_VALUE_ITEMS = {
    "ProductValue": ("VPR1", "VPR2"),
    "ServiceValue": ("VSE1", "VSE2"),
    "PersonnelValue": ("VPE1", "VPE2"),
    "ImageValue": ("VIM1", "VIM2"),
    "MoneyCost": ("CMO1", "CMO2"),
    "TimeCost": ("CTI1", "CTI2"),
    "EnergyCost": ("CEN1", "CEN2"),
    "PsychologicalCost": ("CPS1", "CPS2"),
    "CustomerValue": ("CV1", "CV2"),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Loyalty": ("LOY1", "LOY2", "LOY3"),
}
_CUSTOMER_VALUE_PATHS = {
    "CustomerValue": (
        "ProductValue",
        "ServiceValue",
        "PersonnelValue",
        "ImageValue",
        "MoneyCost",
        "TimeCost",
        "EnergyCost",
        "PsychologicalCost",
    ),
    "Satisfaction": ("CustomerValue",),
    "Loyalty": ("Satisfaction",),
}


_SERVICE_PROFIT_CHAIN_ITEMS = {
    "Authority": ("AUTH1", "AUTH2"),
    "WorkingConditions": ("COND1", "COND2"),
    "Management": ("MAN1", "MAN2"),
    "CompanyEnvironment": ("ENVI1", "ENVI2"),
    "PersonalSituation": ("PERS1", "PERS2"),
    "StaffSatisfaction": ("STAFF1", "STAFF2", "STAFF3"),
    "ServiceQuality": ("SERV1", "SERV2", "SERV3"),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Loyalty": ("LOY1", "LOY2", "LOY3"),
    "Profit": ("PROFIT",),
}
_SERVICE_PROFIT_CHAIN_PATHS = {
    "StaffSatisfaction": (
        "Authority",
        "WorkingConditions",
        "Management",
        "CompanyEnvironment",
        "PersonalSituation",
    ),
    "ServiceQuality": ("StaffSatisfaction",),
    "Satisfaction": ("ServiceQuality",),
    "Loyalty": ("Satisfaction",),
    "Profit": ("Loyalty",),
}


@checked
def service_index(
    items: Mapping[str, str | Sequence[str]] | None = None, *, second_order: bool = False
) -> Model:
    """Return the service index model of five dimensions (P/A/C/E/E).

    Performance, assurance of the process, completeness, ease of use, and emotion and environment
    of a service make its quality, asked overall too; quality makes satisfaction, and satisfaction
    loyalty. Each dimension has an index of its own.

    Of the second order, service quality is not asked but made of the five dimensions, in two
    stages; `csi.index_scores` has the index of the whole, and a fit of the first order those of the
    dimensions.

    Parameters
    ----------
    items
        Your own columns for any of CorePerformance, ProcessAssurance, Completeness,
        EaseOfUse, Environment, ServiceQuality (of the first order), Satisfaction, Loyalty.
    second_order
        Whether service quality is a construct of the dimensions, a weighted sum of them.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.
    OptionError
        When `second_order` is neither true nor false.

    References
    ----------
    Chinese teaching texts on customer satisfaction management (the five dimensions of a service
    index).

    Examples
    --------
    >>> model = service_index()
    >>> len(model.construct_names), len(model.paths)
    (8, 7)
    >>> whole = service_index(second_order=True)
    >>> whole.blocks["ServiceQuality"][0], len(whole.paths)
    ('CorePerformance', 2)
    """
    if not second_order:
        return build("Service index", _SERVICE_INDEX_ITEMS, _SERVICE_INDEX_PATHS, items)
    parts = _SERVICE_INDEX_PATHS["ServiceQuality"]
    blocks = {name: own for name, own in _SERVICE_INDEX_ITEMS.items() if name != "ServiceQuality"}
    paths = {name: own for name, own in _SERVICE_INDEX_PATHS.items() if name != "ServiceQuality"}
    model = build("Service index", blocks, {}, None)
    model = replace(
        model,
        terms=(HigherOrder("ServiceQuality", parts, "composite"),),
        paths=tuple(Path(source, target) for target, own in paths.items() for source in own),
        name="Service index of the second order",
    )
    return model if items is None else model.with_items(items)


@checked
def service_gap(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return a model of service gaps: five dimensions, service quality, satisfaction.

    Items of the dimensions are gaps, perceptions less expectations, or perceptions alone
    (SERVPERF). The dimensions are the source's; what follows them is this package's choice.

    Parameters
    ----------
    items
        Your own columns for any of Tangibles, Reliability, Responsiveness, Assurance,
        Empathy, ServiceQuality, Satisfaction, Loyalty.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Parasuraman, A., Zeithaml, V. A., Berry, L. L. (1988). SERVQUAL: a multiple-item scale for
    measuring consumer perceptions of service quality. Journal of Retailing 64(1), 12-40.

    Examples
    --------
    >>> model = service_gap()
    >>> len(model.construct_names), len(model.paths)
    (8, 7)
    """
    return build("Service gap", _SERVICE_GAP_ITEMS, _SERVICE_GAP_PATHS, items)


@checked
def customer_value(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the model of customer delivered value: four values, four costs, satisfaction, loyalty.

    Value of product, service, personnel and image, and costs of money, time, energy and mind,
    make customer value. Costs are asked so that a high answer is a high cost; their paths are
    negative.

    Parameters
    ----------
    items
        Your own columns for any of ProductValue, ServiceValue, PersonnelValue, ImageValue,
        MoneyCost, TimeCost, EnergyCost, PsychologicalCost, CustomerValue, Satisfaction,
        Loyalty.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Kotler, P. (1994). Marketing Management, 8th edition, chapter 2: customer delivered value.
    Prentice Hall.

    Examples
    --------
    >>> model = customer_value()
    >>> len(model.construct_names), len(model.paths)
    (11, 10)
    """
    return build("Customer value", _CUSTOMER_VALUE_ITEMS, _CUSTOMER_VALUE_PATHS, items)


@checked
def service_profit_chain(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the service-profit chain: staff, service quality, customers, loyalty, profit.

    Rows are branches: means of their staff's and their customers' answers, and their profit. Five
    factors make staff satisfaction.

    Parameters
    ----------
    items
        Your own columns for any of Authority, WorkingConditions, Management,
        CompanyEnvironment, PersonalSituation, StaffSatisfaction, ServiceQuality,
        Satisfaction, Loyalty, Profit.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    Heskett, J. L., Jones, T. O., Loveman, G. W., Sasser, W. E., Schlesinger, L. A. (1994).
    Putting the service-profit chain to work. Harvard Business Review 72(2), 164-174.

    Examples
    --------
    >>> model = service_profit_chain()
    >>> len(model.construct_names), len(model.paths)
    (10, 9)
    """
    return build(
        "Service-profit chain", _SERVICE_PROFIT_CHAIN_ITEMS, _SERVICE_PROFIT_CHAIN_PATHS, items
    )
