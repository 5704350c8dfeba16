"""What a formula may say: columns, numbers and a few functions; nothing is evaluated here.

patsy evaluates the pieces of a formula as Python, with everything Python can reach. So each piece
is checked on its syntax tree first, and refused unless every node of it is on the lists below.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from csimodel.errors import OptionError

_ONE = ("log", "log10", "log2", "log1p", "exp", "expm1", "sqrt", "square", "abs", "sign")
_ARGUMENTS = {
    **dict.fromkeys((*_ONE, "floor", "ceil"), 1),
    **{"minimum": 2, "maximum": 2, "clip": 3, "where": 3},
}
FUNCTIONS = tuple(_ARGUMENTS)  # of NumPy, with or without np. in front
_SPLINES = ("bs", "cr", "cc", "te")
_TRANSFORMS = ("I", "center", "standardize", "scale", *_SPLINES)
_CONTRASTS = ("Treatment", "Poly", "Sum", "Helmert", "Diff")
_CALLED = (*FUNCTIONS, *_TRANSFORMS, "C", "Q", *_CONTRASTS)
_OPERATORS = (
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr),
    *(ast.UAdd, ast.USub),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE),
)
_LONGEST = 4_000  # characters
_TERMS = 300
_POWER = 10  # highest exponent
_LARGEST = 30  # number of degrees of freedom, or degree, of a spline
_LISTED = f"{', '.join((*FUNCTIONS, *_TRANSFORMS))}, C and Q"


def pieces(text: str, right: str) -> list[str]:
    """Return the pieces of a formula that are Python, each checked.

    Parameters
    ----------
    text
        The formula, for messages.
    right
        What stands right of ``~``.

    Raises
    ------
    OptionError
        When a piece says anything but columns, numbers, arithmetic, comparisons and the functions
        listed, or the formula is too long or stands for too many terms.
    patsy.PatsyError
        When it cannot be read.

    Examples
    --------
    >>> pieces("", "index * np.log(age) + C(industry)")
    ['index', 'np.log(age)', 'C(industry)']
    """
    from patsy.parse_formula import parse_formula

    if len(right) > _LONGEST:
        raise OptionError(
            f"This formula has {len(right)} characters, and {_LONGEST} are the most that is read; "
            "take columns that stand for several of its terms."
        )
    try:
        tree = parse_formula(right)
        count = _terms(tree)
    except RecursionError:
        raise _too_many(text, "too many") from None
    if count > _TERMS:
        raise _too_many(text, "more than " + str(_TERMS))
    codes = list(dict.fromkeys(_codes(tree)))
    for code in codes:
        _check(text, code)
        if not columns_of(code):
            raise _refusal(text, code, "names no column")
    return codes


def _too_many(text: str, count: str) -> OptionError:
    shown = text if len(text) <= 100 else text[:100] + "…"
    return OptionError(
        f"formula={shown!r} stands for {count} terms, products of products counted; name fewer."
    )


def _codes(node: Any) -> Iterator[str]:
    """Yield the pieces of a formula that are Python."""
    if node.type == "PYTHON_EXPR":
        yield str(node.token.extra)
    for child in node.args:
        yield from _codes(child)


def _terms(node: Any) -> int:
    """Return how many terms a formula may stand for, at most."""
    if not node.args:
        return 1
    counts = [_terms(child) for child in node.args]
    first, other = counts[0], counts[-1]
    if node.type == ":":
        return first * other
    if node.type in ("*", "/"):
        return first + other + first * other
    if node.type == "**":
        exponent = str(getattr(node.args[1].token, "extra", "")) if len(counts) > 1 else ""
        power = int(exponent) if exponent.isdigit() and len(exponent) < 4 else first
        return min(_sum_of_choices(first, min(power, first)), 10 * _TERMS)
    return sum(counts)


def _sum_of_choices(count: int, most: int) -> int:
    """Return in how many ways 1 to `most` of several can be taken, counted beyond the limit."""
    from math import comb

    total = 0
    for taken in range(1, most + 1):
        total += comb(count, taken)
        if total > _TERMS:
            break
    return total


def _check(text: str, code: str) -> None:
    """Refuse a piece of a formula that does more than take columns and count."""
    try:
        tree = ast.parse(code, mode="eval")
    except (RecursionError, MemoryError):
        raise _refusal(text, code[:40] + "…", "is nested too deeply") from None
    try:
        _number(text, tree.body)
    except RecursionError:
        raise _refusal(text, code[:40] + "…", "is nested too deeply") from None


def _number(text: str, node: ast.expr) -> None:
    """Check an expression that stands for a value of every respondent."""
    if isinstance(node, ast.Constant):
        if type(node.value) not in (int, float, str, bool):
            raise _refusal(text, _told(node), "is neither a column nor a number")
    elif isinstance(node, ast.Name):
        if node.id.startswith("__"):
            raise _refusal(text, node.id, "is no column that a formula may name")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, _OPERATORS):
        _operand(text, node.operand)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, _OPERATORS):
        if isinstance(node.op, ast.Pow):
            _power(text, node)
        _operand(text, node.left)
        _operand(text, node.right)
    elif isinstance(node, ast.Compare) and all(isinstance(op, _OPERATORS) for op in node.ops):
        if len(node.ops) > 1:
            raise _refusal(
                text, _told(node), "compares more than two things; write (a < b) & (b < c)"
            )
        for part in (node.left, *node.comparators):
            _number(text, part)
    elif isinstance(node, ast.Call):
        _call(text, node)
    else:
        raise _refusal(text, _told(node), "is not something a formula may say")


def _operand(text: str, node: ast.expr) -> None:
    """Check what is counted with, which is no text: 'a' * 1000000 would be a long one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        raise _refusal(text, _told(node), "is text, with which a formula cannot count")
    _number(text, node)


def _power(text: str, node: ast.BinOp) -> None:
    """Let powers be those of columns, with a small number as exponent."""
    exponent = node.right
    if isinstance(exponent, ast.UnaryOp) and isinstance(exponent.op, ast.USub):
        exponent = exponent.operand
    value = exponent.value if isinstance(exponent, ast.Constant) else None
    if isinstance(value, bool) or not (isinstance(value, int | float) and abs(value) <= _POWER):
        what = f"is a power whose exponent is not a number up to {_POWER}"
        raise _refusal(text, _told(node), what)
    if not any(isinstance(part, ast.Name) for part in ast.walk(node.left)):
        raise _refusal(text, _told(node), "is a power of numbers alone; write its value")


def _call(text: str, node: ast.Call) -> None:
    name = function_of(node)
    if name is None:
        raise _refusal(text, _told(node), f"calls what is not among {_LISTED}")
    if any(isinstance(part, ast.Starred) for part in node.args) or any(
        keyword.arg is None for keyword in node.keywords
    ):
        raise _refusal(text, _told(node), "takes its arguments from a list, which is not allowed")
    if name == "Q":
        if quoted_column(node) is None:
            raise _refusal(text, _told(node), "must quote the name of one column")
        return
    if name in _CONTRASTS:
        raise _refusal(text, _told(node), "belongs inside C(…)")
    columns = len(node.args) if name in (*FUNCTIONS, "te") else 1  # the rest are options
    if not node.args:
        raise _refusal(text, _told(node), "names no column")
    wanted = _ARGUMENTS.get(name)
    if wanted is not None and (len(node.args) != wanted or node.keywords):
        raise _refusal(text, _told(node), f"needs {wanted} argument{'s'[: wanted > 1]} and no more")
    for part in node.args[:columns]:
        _number(text, part)
    for part in node.args[columns:]:
        _option(text, name, part, "")
    for keyword in node.keywords:
        _option(text, name, keyword.value, str(keyword.arg))


def function_of(node: ast.Call) -> str | None:
    """Return the name of the function a call means, None when it is not one of those known."""
    called = node.func
    if isinstance(called, ast.Attribute):
        of_numpy = isinstance(called.value, ast.Name) and called.value.id == "np"
        return called.attr if of_numpy and called.attr in FUNCTIONS else None
    return called.id if isinstance(called, ast.Name) and called.id in _CALLED else None


def quoted_column(node: ast.Call) -> str | None:
    """Return the column that ``Q('…')`` names, None when it names none or several."""
    word = node.args[0] if len(node.args) == 1 and not node.keywords else None
    value = word.value if isinstance(word, ast.Constant) else None
    return value if isinstance(value, str) else None


def columns_of(code: str) -> list[str]:
    """Return the columns that a piece of a formula names, in the order met.

    >>> columns_of("np.where(age > 30, Q('years with us'), 0)")
    ['age', 'years with us']
    """
    return [name for name, _ in _columns(ast.parse(code, mode="eval").body, False)]


def counted_columns(code: str) -> list[str]:
    """Return the columns that a piece counts with, which have to be numbers.

    >>> counted_columns("np.where(market == 'air', age / 10, 0)")
    ['age']
    """
    return [name for name, counted in _columns(ast.parse(code, mode="eval").body, False) if counted]


def categories_of(code: str) -> list[str]:
    """Return the column a piece takes as categories where it is text or in ``C(…)``; else none.

    >>> categories_of("C(firm, Treatment(3))"), categories_of("market"), categories_of("age / 2")
    (['firm'], ['market'], [])
    """
    node = ast.parse(code, mode="eval").body
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Call) and function_of(node) in ("C", "Q", "I"):
        return [name for name, _ in _columns(node, False)]
    return []


def called_functions(code: str) -> list[str]:
    """Return the names of what a piece calls, ``np`` among them where it is called by it."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [
        "np" if isinstance(call.func, ast.Attribute) else str(function_of(call)) for call in calls
    ]


def _columns(node: ast.AST, counted: bool) -> Iterator[tuple[str, bool]]:
    """Yield columns and whether they are counted with."""
    if isinstance(node, ast.Name):
        yield node.id, counted
    elif isinstance(node, ast.Call):
        name = function_of(node)
        if name == "Q":
            yield str(quoted_column(node)), counted
            return
        columns = node.args if name in (*FUNCTIONS, "te") else node.args[:1]
        for part in columns:
            yield from _columns(part, name not in ("C", "I") or (counted and name == "I"))
    else:
        below = isinstance(node, ast.BinOp | ast.UnaryOp)
        for child in ast.iter_child_nodes(node):
            yield from _columns(child, below or (counted and not isinstance(node, ast.Compare)))


def _option(text: str, name: str, node: ast.expr, option: str) -> None:
    """Check an option of a function: numbers, texts, lists of them, or a contrast of C."""
    if name == "C" and isinstance(node, ast.Name) and node.id in _CONTRASTS:
        return
    if name == "C" and isinstance(node, ast.Call) and function_of(node) in _CONTRASTS:
        for part in (*node.args, *(keyword.value for keyword in node.keywords)):
            _literal(text, part)
        return
    _literal(text, node)
    value = ast.literal_eval(node)
    counts = name in _SPLINES and (option in ("df", "degree") or not option)
    if counts and isinstance(value, int | float) and abs(value) > _LARGEST:
        what = f"asks for more than {_LARGEST} columns"
        raise _refusal(text, f"{name}(…, {_told(node)})", what)


def _literal(text: str, node: ast.expr) -> None:
    if isinstance(node, ast.List | ast.Tuple):
        for part in node.elts:
            _literal(text, part)
        return
    inner = (
        node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    )
    if not isinstance(inner, ast.Constant):
        raise _refusal(text, _told(node), "must be a number, a text or a list of them")
    number = isinstance(inner.value, int | float) and not isinstance(inner.value, bool)
    if isinstance(inner.value, bytes | complex) or (inner is not node and not number):
        raise _refusal(text, _told(node), "must be a number, a text or a list of them")


def _told(node: ast.expr) -> str:
    words = ast.unparse(node)
    return words if len(words) <= 60 else words[:60] + "…"


def _refusal(text: str, piece: str, what: str) -> OptionError:
    shown = text if len(text) <= 200 else text[:200] + "…"
    return OptionError(
        f"formula={shown!r} cannot be used: {piece!r} {what}; a formula takes columns, numbers, "
        f"arithmetic, comparisons and the functions {_LISTED}."
    )
