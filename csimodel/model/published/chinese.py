"""The Chinese index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from csimodel.arguments import checked
from csimodel.model.model import Model
from csimodel.model.published.build import build

_CCSI_ITEMS = {
    "Image": ("IMG1", "IMG2", "IMG3"),
    "Expectation": ("EXP1", "EXP2", "EXP3"),
    "Quality": ("QUAL1", "QUAL2", "QUAL3"),
    "Value": ("VAL1", "VAL2"),
    "Satisfaction": ("SAT1", "SAT2", "SAT3"),
    "Loyalty": ("LOY1", "LOY2"),
}
_CCSI_PATHS = {
    "Expectation": ("Image",),
    "Quality": ("Image", "Expectation"),
    "Value": ("Image", "Quality"),
    "Satisfaction": ("Image", "Quality", "Value"),
    "Loyalty": ("Image", "Satisfaction"),
}


@checked
def ccsi(items: Mapping[str, str | Sequence[str]] | None = None) -> Model:
    """Return the Chinese Customer Satisfaction Index model: brand image, no complaints.

    Image stands for that of the brand, expectation for expected quality, quality for perceived
    quality. **Uncertain**: the paths from image to perceived quality and to value.

    Parameters
    ----------
    items
        Your own columns for any of Image, Expectation, Quality, Value, Satisfaction,
        Loyalty.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.

    References
    ----------
    China National Institute of Standardization, C-CSI: China Customer Satisfaction Index (the
    index office's own description).

    Examples
    --------
    >>> model = ccsi()
    >>> len(model.construct_names), len(model.paths)
    (6, 10)
    """
    return build("CCSI", _CCSI_ITEMS, _CCSI_PATHS, items)
