"""What is said of one and of several: all templates, with 1 and with 2."""

import re
from string import Formatter

import pytest
from catalogue import messages

from csimodel.findings import wording

CHOICES = re.compile(r"\{(\w+):([^{}|]*)\|([^{}]*)\}")
SINGLE = {
    "have": "has",
    "were": "was",
    "are": "is",
    "belong": "belongs",
    "hold": "holds",
    "lack": "lacks",
}
PART = re.compile(
    r"^(?:Only )?\{\w+(?::,)?\} of (?:the )?\{\w+(?::[^}]*)?\} [^{}.;()]*?(?<!who )\b"
    rf"({'|'.join(SINGLE)})\b"
)


def chosen(template: str, count: int) -> str:
    """Return a sentence in which every count is the same."""
    parts = list(Formatter().parse(template))
    names = [name for _, name, _, _ in parts if name]
    counted = [name for name, _, _ in CHOICES.findall(template)]
    values = {name: count if name in counted else Stand() for name in names}
    return wording(template, values)


class Stand:
    """Fills a field that is no count, whatever its form."""

    def __format__(self, form: str) -> str:
        return "x"


@pytest.mark.parametrize("template", [own for own in messages() if CHOICES.search(own)])
def test_one_and_several_are_chosen_by_the_count(template):
    once = CHOICES.sub(lambda own: own[2], template)
    often = CHOICES.sub(lambda own: own[3], template)
    single, several = chosen(template, 1), chosen(template, 2)
    for _, one, more in CHOICES.findall(template):
        assert one in single
        assert more in several
    assert single.replace("1", "2") != several, "one and several are said alike"
    assert once != often
    assert not re.search(r"\b1 (?:of 1 )?(?:\w+ing )?\w+s (?:have|were|are|belong|say)\b", single)
    assert not re.search(r"\b2 (?:of 2 )?(?:\w+ing )?\w+ (?:has|was|is|belongs|says)\b", several)


def test_a_part_of_a_total_has_a_verb_for_one():
    without = []
    for own in messages().values():
        found = PART.match(own.text)
        if found is None or own.several:
            continue
        start = own.text[: found.start(1)] + SINGLE[found[1]]
        if not any(other.startswith(start) for other in messages()):
            without.append(f"{own.place}: {own.text}")
    assert not without, "write {count:has|have}:\n" + "\n".join(without)
