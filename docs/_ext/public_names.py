"""The public names of the package, each with the one place where the site documents it."""

import inspect
import pkgutil
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

import csimodel as csi


@dataclass(frozen=True)
class Room:
    """A module that users write, and the names that are documented there."""

    module: ModuleType
    written: str
    names: tuple[str, ...]
    results: tuple[type, ...] = ()

    @property
    def title(self) -> str:
        """What a user writes before a name of the module."""
        return self.written


def rooms() -> list[Room]:
    """Return the top and every public module, each name at the first of them that has it.

    Classes that public functions return and no module lists come with the function's module.
    """
    modules = [(csi, "csi"), *((getattr(csi, name), f"csi.{name}") for name in csi._MODULES)]
    home: dict[object, str] = {}
    listed = []
    for module, written in modules:
        names = []
        for name in _names(module):
            value = getattr(module, name)
            key = value if _is_code(value) else (module.__name__, name)
            if key not in home and not inspect.ismodule(value):
                home[key] = written
                names.append(name)
        listed.append(Room(module, written, tuple(sorted(names, key=str.lower))))
    return [_with_results(room, home) for room in listed]


def _names(module: ModuleType) -> list[str]:
    own = getattr(module, "__all__", None)
    if own is not None:
        return list(own)
    return [
        name
        for name, value in vars(module).items()
        if _is_code(value) and value.__module__ == module.__name__ and not name.startswith("_")
    ]


def _is_code(value: object) -> bool:
    return inspect.isclass(value) or inspect.isfunction(value)


def _with_results(room: Room, home: dict[object, str]) -> Room:
    classes, results = _classes(), []
    for name in room.names:
        value = getattr(room.module, name)
        if inspect.isfunction(value):
            text = str(inspect.unwrap(value).__annotations__.get("return", ""))
            for kind in (classes[word] for word in re.findall(r"\w+", text) if word in classes):
                if kind not in home:
                    home[kind] = room.written
                    results.append(kind)
    return Room(room.module, room.written, room.names, tuple(results))


@cache
def _classes() -> dict[str, type]:
    """Return every class of the package by its name, of which no two classes have one."""
    return {
        name: value
        for found in pkgutil.walk_packages(csi.__path__, "csimodel.")
        if not found.name.endswith("__main__")
        for name, value in vars(import_module(found.name)).items()
        if inspect.isclass(value) and value.__module__ == found.name and name[0] != "_"
    }
