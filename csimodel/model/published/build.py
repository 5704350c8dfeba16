"""A published model from its blocks and paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from csimodel.model.constructs import Path, reflective
from csimodel.model.model import Model


def build(
    name: str,
    blocks: Mapping[str, Sequence[str]],
    paths: Mapping[str, Sequence[str]],
    items: Mapping[str, str | Sequence[str]] | None,
) -> Model:
    """Return a model.

    Parameters
    ----------
    name
        Of the model.
    blocks
        Items by construct.
    paths
        Sources by target.
    items
        The user's own for any of the constructs, or None.

    Raises
    ------
    ModelError
        When `items` names a construct that the model does not have.
    """
    model = Model(
        constructs=tuple(reflective(construct, block) for construct, block in blocks.items()),
        paths=tuple(Path(source, target) for target, own in paths.items() for source in own),
        name=name,
    )
    return model if items is None else model.with_items(items)
