"""Published customer satisfaction index models, ready to be fitted to your own columns.

Every function returns a `Model`; ``items=`` puts your columns in the place of its own. What a
source that was read does not confirm is said in the function's docstring (**uncertain**) and may
be changed: write ``model.to_syntax()``, edit the text, read it with ``csi.Model.from_syntax``.
`template` gives a codebook with wordings for any of them, in English or Chinese. Names of
registered indexes are used to describe.

The British UKCSI is no structural model: a mean of 1-10 ratings times ten.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from csimodel.model.model import Model
from csimodel.model.published.american import (
    acsi,
    acsi_government,
    acsi_two_qualities,
    british,
    hong_kong,
    korean,
    malaysian,
)
from csimodel.model.published.chinese import ccsi
from csimodel.model.published.european import ecsi, norwegian, norwegian_2001, swedish, swiss
from csimodel.model.published.service import (
    customer_value,
    service_gap,
    service_index,
    service_profit_chain,
)
from csimodel.model.published.template import template

PUBLISHED: Mapping[str, Callable[..., Model]] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            acsi, acsi_government, acsi_two_qualities, british, ccsi, customer_value, ecsi,
            hong_kong, korean, malaysian, norwegian, norwegian_2001, service_gap, service_index,
            service_profit_chain, swedish, swiss,
        )
    }
)  # fmt: skip
"""Every model by its name."""

__all__ = [
    "PUBLISHED",
    "acsi",
    "acsi_government",
    "acsi_two_qualities",
    "british",
    "ccsi",
    "customer_value",
    "ecsi",
    "hong_kong",
    "korean",
    "malaysian",
    "norwegian",
    "norwegian_2001",
    "service_gap",
    "service_index",
    "service_profit_chain",
    "swedish",
    "swiss",
    "template",
]
