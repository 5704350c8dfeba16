"""No module of the package is imported by what it imports, at whatever level and for whatever end.

Imports within functions and those for type checkers count: they hide a circle and do not open it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import csimodel as csi

PACKAGE = Path(csi.__file__).parent


def modules(package: Path) -> dict[str, Path]:
    """Return the modules of a package by name, such as ``csimodel.model.syntax``."""
    names = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def imports(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Yield the modules that one imports anywhere in its text."""
    home = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = home.split(".")[: len(home.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{source}.{alias.name}"
                yield from (
                    target for target in [whole if whole in known else source] if target in known
                )


def circles(package: Path) -> set[frozenset[str]]:
    """Return the strongly connected components of more than one module, without the package."""
    known = modules(package)
    place = {name: i for i, name in enumerate(known)}
    edges = {
        (place[name], place[target])
        for name, path in known.items()
        for target in imports(name, path, known)
    }
    row, column = np.array(sorted(edges)).T
    graph = coo_array((np.ones(len(row)), (row, column)), shape=(len(known), len(known)))
    count, component = connected_components(graph, directed=True, connection="strong")
    names = np.array([name.partition(".")[2] for name in known], dtype=object)
    parts = [frozenset(names[component == i]) for i in range(count)]
    return {part for part in parts if len(part) > 1}


def test_no_module_is_imported_by_what_it_imports():
    assert circles(PACKAGE) == set()


@pytest.mark.parametrize(
    "line",
    [
        "import house.roof",
        "from house import roof",
        "from house.roof import tiles",
        "from . import roof",
        "from .roof import tiles",
        "def build():\n    from house.roof import tiles",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.roof import tiles",
    ],
)
def test_a_circle_is_seen_however_it_is_written(tmp_path, line):
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").write_text("")
    (house / "roof.py").write_text("from house.walls import bricks\n")
    (house / "walls.py").write_text(line + "\n")
    assert circles(house) == {frozenset({"roof", "walls"})}
