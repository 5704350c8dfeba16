"""The functions that users call, wherever they are: those of which arguments are checked."""

import inspect
from collections.abc import Callable
from typing import Any

import csimodel as csi

MODULES = ("assessment", "estimators", "index", "inference", "literature", "measures", "model", "models",
           "moments", "money", "outcomes", "plots", "report", "simulate", "storage", "survey", "tables", "weighting")  # fmt: skip


def functions() -> dict[str, Callable[..., Any]]:
    """Return public functions as users write them after ``csi.``, each once, at the top if there."""
    named = {name: getattr(csi, name) for name in csi.__all__ if name not in csi._MODULES}
    for module in MODULES:
        room = getattr(csi, module)
        for name in getattr(room, "__all__", dir(room)):
            value = getattr(room, name)
            if hasattr(value, "__wrapped__") and value is not named.get(name):
                named[f"{module}.{name}"] = value
    return {name: value for name, value in named.items() if inspect.isfunction(value)}
