"""Names within modules are those of what they hold."""

import ast
from collections import Counter
from pathlib import Path

import pytest

import csimodel as csi

PACKAGE = Path(csi.__file__).parent
FIGURES_OF_SPEECH = {"found", "made", "one", "said"}
MODULES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}


def names_given(tree):
    """Yield what a module names: locals, arguments, attributes, functions, classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


@pytest.mark.parametrize("module", sorted(MODULES))
def test_names_are_nouns_of_what_they_hold(module):
    assert sorted(FIGURES_OF_SPEECH.intersection(names_given(MODULES[module]))) == []


@pytest.mark.parametrize("module", [name for name in sorted(MODULES) if "outcomes/" in name])
def test_what_draws_gave_is_called_draws(module):
    """A chain is a sequence of paths (`estimators/effects.py`), and the step from itertools."""
    assert "chain" not in set(names_given(MODULES[module]))


def test_one_class_has_one_name():
    """And no two classes one: `Rows` or `Draws` means the same thing wherever it is read."""
    classes = Counter(
        node.name
        for tree in MODULES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in classes.items() if count > 1] == []
