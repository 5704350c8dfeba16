"""Odd values of options are taken or refused in a sentence."""

import pytest

from fuzz.judge import Judge
from fuzz.odd_options import variants

# Their checks are the next to move to `csimodel.arguments`.
LATER = ("repurchase", "rep.", "money", "calibration", "compare_shapes", "complaint", "corrected",
         "index_reliability", "group_reliability", "analyze", "read_survey")  # fmt: skip


def _judged(chosen):
    judge = Judge()
    for name, function, arguments in chosen:
        judge(name, function, **arguments)
    assert not judge.failures, "\n".join(f"{f.call}: {f.cause}: {f.detail}" for f in judge.failures)
    return judge.calls


def test_a_sample_of_odd_options():
    own = [one for one in variants() if not one[0].startswith(LATER)]
    assert _judged(own[::17]) > 100


@pytest.mark.fuzz_long
def test_every_odd_option():
    assert _judged(one for one in variants() if not one[0].startswith(LATER)) > 2000
