"""Whether what a model says of parameters fits its constructs, items and paths."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from csimodel.errors import ModelError, suggest
from csimodel.model.constructs import Construct, Path
from csimodel.model.ownership import own_blocks
from csimodel.model.parameters import Parameter


def checked(
    parameters: Iterable[Parameter], constructs: tuple[Construct, ...], paths: tuple[Path, ...]
) -> tuple[Parameter, ...]:
    """Return parameters in one form: merged, a covariance in model order, sorted as the model.

    Raises
    ------
    ModelError
        For a name that the model does not have, a loading or path that is not in it, or a
        covariance of a construct with an item.
    """
    names = [construct.name for construct in constructs]
    items = [item for block in own_blocks(constructs) for item in block]
    every = list(dict.fromkeys([*names, *items]))
    place = {name: position for position, name in enumerate(every)}
    loadings = {(construct.name, item) for construct in constructs for item in construct.items}
    by_place: dict[tuple[str, str, str], Parameter] = {}
    for parameter in parameters:
        for end in filter(None, (parameter.lhs, parameter.rhs)):
            if end not in place:
                raise ModelError(
                    f"{str(parameter)!r} names {end!r}, which is neither a construct nor an item "
                    f"of the model{suggest(end, every)}."
                )
        _require_place(parameter, loadings, names, paths)
        if parameter.op == "~~" and place[parameter.lhs] > place[parameter.rhs]:
            parameter = replace(parameter, lhs=parameter.rhs, rhs=parameter.lhs)
        key = (parameter.op, parameter.lhs, parameter.rhs)
        by_place[key] = by_place[key].merged(parameter) if key in by_place else parameter
    order = ("=~", "~", "~~", "~1")
    return tuple(
        sorted(
            by_place.values(),
            key=lambda entry: (order.index(entry.op), place[entry.lhs], place.get(entry.rhs, -1)),
        )
    )


def _require_place(
    parameter: Parameter,
    loadings: set[tuple[str, str]],
    names: list[str],
    paths: tuple[Path, ...],
) -> None:
    """Refuse what is said of a parameter that the model does not have."""
    if parameter.op == "=~" and (parameter.lhs, parameter.rhs) not in loadings:
        raise ModelError(
            f"{str(parameter)!r}: {parameter.rhs!r} is not an item of {parameter.lhs!r}."
        )
    if parameter.op == "~" and Path(parameter.rhs, parameter.lhs) not in paths:
        raise ModelError(
            f"{str(parameter)!r}: there is no path from {parameter.rhs!r} to {parameter.lhs!r}."
        )
    if parameter.op == "~~" and (parameter.lhs in names) != (parameter.rhs in names):
        raise ModelError(
            f"{str(parameter)!r} joins a construct and an item; let two constructs covary, or the "
            "errors of two items."
        )
