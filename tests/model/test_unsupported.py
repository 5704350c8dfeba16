"""What lavaan's syntax has beyond a model here is refused by name; equal() is a label."""

import pytest

import csimodel as csi
from csimodel.errors import ModelError

M = csi.Model.from_syntax
TWO = "Q =~ PERQ1 + PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Q\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            TWO + "PERQ1 | t1 + t2",
            "The line 'PERQ1 | t1 + t2' sets thresholds (|), which come from the answers and cannot "
            "be written; take the line out and fit with csi.WLSMV(ordered=[…]).",
        ),
        (
            TWO + "PERQ1 ~*~ 1*PERQ1",
            "The line 'PERQ1 ~*~ 1*PERQ1' sets the scale of an ordered response (~*~), which has "
            "variance 1 here (the delta parameterisation); take the line out.",
        ),
        (
            "level: 1\n" + TWO,
            "The line 'level: 1' starts a block (level:), and model text holds one block; for groups "
            "use csi.fit_multigroup(model, survey, by=…), with c(a, b)* where they differ, and two "
            "levels cannot be fitted (clusters enter the errors of csi.ML(se='robust')).",
        ),
        (
            TWO + "Q:V ~ S",
            "The line 'Q:V ~ S' explains the product Q:V, and nothing explains a product; let it "
            "stand on the right, as in Loyalty ~ Quality + Value + Quality:Value.",
        ),
        (
            'efa("one")*F =~ a + b + c',
            "The line 'efa(\"one\")*F =~ a + b + c' has the modifier efa(), and there are no "
            "exploratory blocks, random slopes or priors; write a number, NA, a label, start(), "
            "lower(), upper() or equal().",
        ),
        (
            TWO + "S ~ 0.5?Q",
            "The line 'S ~ 0.5?Q' has a starting value with ?; write it as start(0.5)*x.",
        ),
        (
            TWO + "G =~ Q + PERV1",
            "Construct 'G' has the construct 'Q' among its items, and others that are columns of "
            "the data; give it constructs alone (a second-order construct), or columns alone.",
        ),
        (
            'Q =~ q1 + q2 + equal("k")*q3',
            "equal('k') names no parameter; write it as in equal(\"Q =~ q2\")*q3.",
        ),
    ],
)
def test_features_are_refused_by_name(text, message):
    with pytest.raises(ModelError) as told:
        M(text)
    assert str(told.value) == message


def test_quoted_names_may_have_any_sign():
    model = M("'a|b' =~ 'x:1' + 'level: 2'\nB =~ b1 + b2\nB ~ 'a|b'")
    assert model.items[:2] == ("x:1", "level: 2")
    assert M(model.to_syntax()) == model


def test_equal_is_a_shared_label(mobi):
    text = TWO.replace("PERQ3", 'equal("Q =~ PERQ2")*PERQ3').replace("~ Q", '~ equal("Q=~PERQ2")*Q')
    model = M(text)
    assert model.labels == ("equal1",)
    labelled = M(TWO.replace("PERQ2 + PERQ3", "k*PERQ2 + k*PERQ3").replace("~ Q", "~ k*Q"))
    ours, theirs = (csi.fit(one, mobi, csi.ML()).fit_measures for one in (model, labelled))
    assert ours["df"] == theirs["df"] == 10
    assert ours["chisq"] == pytest.approx(theirs["chisq"], rel=1e-12)
    named = M(TWO.replace("PERQ2 + PERQ3", 'k*PERQ2 + equal("Q =~ PERQ2")*PERQ3'))
    assert named.labels == ("k",)
    assert M(model.to_syntax()) == model
