"""Numbers in sentences: one form, whatever a template asks for and whichever number it is."""

import numpy as np
import pytest

import csimodel as csi
from csimodel.findings import wording


@pytest.mark.parametrize(
    ("template", "value", "sentence"),
    [
        ("{n} rows", 9999, "9,999 rows"),
        ("{n} rows", np.int64(1234567), "1,234,567 rows"),
        ("{n:,} rows", 12345, "12,345 rows"),
        ("{n:.0f} rows", 12345.4, "12,345 rows"),
        ("{n} rows", True, "True rows"),
        ("from {n}", -12345, "from −12,345"),
        ("from {n:.2f}", np.float64(-0.001), "from 0.00"),
        ("by {n:+.3f}", -0.0004, "by 0.000"),
        ("by {n:+.1f}", 1234.5, "by +1,234.5"),
        ("below {n:.2g}", 1e-9, "below 1e−09"),
        ("{n:.1%} of all", 0.0123, "1.2\u00a0% of all"),
        ("{n:.0%} of all", -0.5, "−50\u00a0% of all"),
        ("is {n:.3f}", float("nan"), "is –"),
        ("in {n}", "2015", "in 2015"),
        ("of {n!r}", 2015, "of 2015"),
        ("in {n}", ("2015", 2016), "in 2015 and 2016"),
    ],
)
def test_a_number_in_a_sentence_has_one_form(template, value, sentence):
    assert wording(template, {"n": value}) == sentence


def test_percentages_of_templates_are_those_of_the_language():
    with csi.language("zh"):
        assert wording("{n:.1%}", {"n": 0.123}) == "12.3%"


@pytest.mark.parametrize(
    ("count", "sentence"),
    [(0, "0 rows have"), (1, "1 row has"), (2, "2 rows have"), (np.int64(1), "1 row has")],
)
def test_what_is_said_of_one_and_of_several(count, sentence):
    assert wording("{n} {n:row has|rows have}", {"n": count}) == sentence


def test_one_name_and_several_names():
    template = "{names} {names:is|are} {names:|both }high"
    assert wording(template, {"names": ["a"]}) == "a is high"
    assert wording(template, {"names": ["a", "b"]}) == "a and b are both high"
