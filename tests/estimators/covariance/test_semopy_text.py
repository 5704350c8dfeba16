"""Models exchanged with semopy: read, written, and the same to either program."""

import logging
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import csimodel as csi
from csimodel.errors import ModelError
from csimodel.estimators.covariance.layouts import layouts_of
from csimodel.model import Parameter


def parameters_of(model):
    """Return all parameters with what is said of them, and which are one.

    Labels are left out, starts and bounds of what is fixed, and starts at 1, which semopy needs
    for loadings where none is fixed.
    """
    (layout,) = layouts_of(model, "marker")
    rows = []
    for row in layout.rows:
        row = row._replace(label=None)
        if row.fixed is not None:
            row = row._replace(start=None, lower=-np.inf, upper=np.inf)
        rows.append(row._replace(start=None if row.start == 1.0 else row.start))
    return rows, layout.place.tolist()


FULL = """
Quality =~ PERQ1 + k*PERQ2 + k*PERQ3 + PERQ5
Value =~ PERV1 + start(0.9)*PERV2
Satisfaction =~ NA*CUSA1 + CUSA2 + 1*CUSA3
Complaints =~ CUSCO
Value ~ lower(0)*upper(2)*Quality
Satisfaction ~ Value + Quality
Complaints ~ Satisfaction
PERQ1 ~~ PERQ5
PERQ2 ~~ s*PERQ2
PERQ3 ~~ s*PERQ3
"""


def test_what_semopy_is_given():
    assert csi.Model.from_syntax(FULL).to_semopy().splitlines() == [
        "Quality =~ 1*PERQ1 + k*PERQ2 + k*PERQ3 + PERQ5",
        "Value =~ 1*PERV1 + _p1*PERV2",
        "Satisfaction =~ CUSA1 + CUSA2 + 1*CUSA3",
        "Complaints =~ CUSCO",
        "Value ~ _p2*Quality",
        "Satisfaction ~ Quality + Value",
        "Complaints ~ Satisfaction",
        "PERQ1 ~~ PERQ5",
        "PERQ2 ~~ s*PERQ2",
        "PERQ3 ~~ s*PERQ3",
        "CUSCO ~~ 0*CUSCO",
        "START(0.9) _p1",
        "BOUND(0, 2) _p2",
    ]


VARIANCE = "Q =~ NA*PERQ1 + PERQ2 + PERQ3\nV =~ PERV1 + PERV2 + CUSA1\nV ~ Q\nQ ~~ 1*Q"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", [FULL, VARIANCE])
def test_semopy_reaches_the_same_chisq(text, mobi, caplog):
    import semopy

    model = csi.Model.from_syntax(text)
    ours = csi.fit(model, mobi, csi.ML()).fit_measures
    theirs = semopy.Model(model.to_semopy())
    with caplog.at_level(logging.CRITICAL):
        result = theirs.fit(mobi.data)
    assert len(theirs.param_vals) == ours["npar"]
    assert 250 * result.fun == pytest.approx(ours["chisq"], rel=1e-5)
    again = csi.Model.from_semopy(model.to_semopy())
    assert csi.fit(again, mobi, csi.ML()).fit_measures["chisq"] == pytest.approx(
        ours["chisq"], rel=1e-9
    )


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("A =~ k*a1 + a2 + a3", "A =~ NA*a1 + k*a1 + 1*a2 + a3"),
        ("A =~ a1 + 2*a2", "A =~ NA*a1 + 2*a2"),
        ("A =~ u*a1 + v*a2\nA ~~ 1*A", "A =~ NA*a1 + u*a1 + v*a2\nA ~~ 1*A"),
        ("A =~ a1 + a2  # first\n\n B =~ b1\nB ~ A", "A =~ a1 + a2\nB =~ b1\nB ~ A"),
        ("A =~ a1\nB =~ b1\nC =~ c1\nB, C ~ A", "A =~ a1\nB =~ b1\nC =~ c1\nB ~ A\nC ~ A"),
        ("A =~ a1\nB =~ b1 + b2\nB ~ A\na1 ~~ a1", "A =~ a1\nB =~ b1 + b2\nB ~ A\na1 ~~ a1"),
        ("A =~ a1\nB =~ b1 + b2\nB ~ A\na1 ~~ 0*a1", "A =~ a1\nB =~ b1 + b2\nB ~ A"),
        ("A =~ a1 + k*a2\nBOUND(0, 1) k\nSTART(-.5) k", "A =~ a1 + k*start(-.5)*a2\nk > 0\nk < 1"),
        ("A =~ a1 + k*a2\nBOUND(0, inf) k", "A =~ a1 + k*a2\nk > 0"),
        ("A =~ a1 + k*a2\nbound 0 1 : k\nstart 0.5: k", "A =~ a1 + k*start(.5)*a2\nk > 0\nk < 1"),
        ("A =~ a1 + k*a2 + l*a3\nCONSTRAINT(k = l)", "A =~ a1 + k*a2 + l*a3\nk == l"),
        ('A =~ a1 + k*a2 + l*a3\nconstraint "k > 0.5"', "A =~ a1 + k*a2 + l*a3\nk > 0.5"),
        ("DEFINE(latent) A\nA =~ a1 + a2", "A =~ a1 + a2"),
        ("A =~ a1 + 1*a1 + a2 + a3\na1 ∼ 1", "A =~ a1 + a2 + a3\na1 ~ 1"),
    ],
)
def test_what_semopy_means(text, same):
    assert csi.Model.from_semopy(text) == csi.Model.from_syntax(same)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "The model text is of type NoneType; give semopy's text, such as 'Value =~ v1 + v2' with "
         "one statement a line."),
        ("A =~ a1 + a2\nA means well", "The line 'A means well' of the semopy text cannot be read; write "
         "effects (=~, ~, ~~), START(v), BOUND(l, u) and CONSTRAINT(a = b)."),
        ("A =~ a1 + a*b*a2", "The line 'A =~ a1 + a*b*a2' of the semopy text has 'a*b*a2' where a term is "
         "expected; join terms such as x, a*x and 0.5*x with +."),
        ("A =~ a1 + START*a2", "The line 'A =~ a1 + START*a2' fixes 'a2' at semopy's own starting value, "
         "which is known to semopy only; write the number."),
        ("A =~ a1 + k*a2\nBOUND(0) k", "The line 'BOUND(0) k' of the semopy text has '0' for its numbers; "
         "write START(0.5) a or BOUND(0, 1) a."),
        ("A =~ a1 + k*a2\nSTART(inf) k", "The line 'START(inf) k' of the semopy text has 'inf' for its "
         "numbers; write START(0.5) a or BOUND(0, 1) a."),
        ("A =~ a1 + k*a2\nSTART(1) l", "The line 'START(1) l' is about 'l', which is no label of a "
         "parameter; the labels are k, and one is given as in 'Y ~ l*X'."),
        ("A =~ a1 + k*a2\nCONSTRAINT(k*k = 1)", "The line 'k*k == 1' is not linear in labels of "
         "parameters, and only linear equations restrict them, as 'b + d == 1'; give equal parameters "
         "one label, or fix a value."),
        ("A =~ a1 + a2\nDEFINE(latent) B", "The line 'DEFINE(latent) B' of the semopy text has the "
         "construct 'B', which no item measures; constructs with items are A."),
        ("A =~ a1 + a2\nDEFINE(ordinal) a1", "The line 'DEFINE(ordinal) a1' of the semopy text says "
         "something a model here cannot hold (DEFINE); take it out."),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_from_semopy(text, message):
    with pytest.raises(ModelError) as caught:
        csi.Model.from_semopy(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A =~ a + k*b + l*c\nk + l == 1", "semopy cannot be told 'k + l == 1': it knows no equations of "
         "several labels, take them out or estimate with csi.ML()."),
        ("A =~ a + k*b\nt := 2*k", "semopy cannot be told 't := 2*k': it knows no definitions, take them "
         "out or estimate with csi.ML()."),
        ("A =~ a + c(1, 2)*b", "semopy cannot be told 'A =~ c(1, 2)*b': it knows no values by group, take "
         "them out or estimate with csi.ML()."),
        ("A =~ a + b\nA ~ 1", "semopy cannot be told 'A ~ 1': it knows no means of constructs, take them "
         "out or estimate with csi.ML()."),
        ("A =~ a + nan*b", "semopy cannot be told 'nan': it knows no labels that it takes for numbers, "
         "rename it or estimate with csi.ML()."),
        ("A =~ a + k.1*b\nk.1 > 0", "semopy cannot be told 'k.1': it knows no starts or bounds of labels "
         "with dots, rename it or estimate with csi.ML()."),
    ],
)  # fmt: skip
def test_what_semopy_cannot_be_told(text, message):
    with pytest.raises(ModelError) as caught:
        csi.Model.from_syntax(text).to_semopy()
    assert str(caught.value) == message


@pytest.mark.parametrize("label", ["_b1", "_c12"])
def test_labels_that_semopy_gives_itself_are_refused(label):
    model = csi.Model.from_syntax(f"A =~ a + {label}*b + c")
    with pytest.raises(ModelError) as caught:
        model.to_semopy()
    assert str(caught.value) == (
        f"semopy cannot be told '{label}': it knows no labels that it gives itself, rename it or "
        "estimate with csi.ML()."
    )


@st.composite
def models(draw):
    """Draw a model with something said of some parameters."""
    labels = st.sampled_from(["k", "l", "m"])
    values = st.floats(-2, 2).map(lambda x: round(x, 3))
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=3))
    blocks = {f"C{j}": [f"i{j}{i}" for i in range(size)] for j, size in enumerate(sizes)}
    names = list(blocks)
    paths = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    items = [item for own in blocks.values() for item in own]
    places = [("=~", name, item) for name, own in blocks.items() for item in own]
    places += [("~", b, a) for a, b in paths]
    places += [("~~", name, name) for name in (*names, *items)]
    places += [("~~", a, b) for a, b in pairwise(items)]
    said = []
    for op, lhs, rhs in draw(st.lists(st.sampled_from(places), unique=True, max_size=8)):
        told = {}
        kind = draw(st.sampled_from(["fixed", "label", "start", "lower", "upper", "free", "both"]))
        if kind == "both":
            told = {"start": draw(values), "lower": -3.0, "upper": 3.0}
        elif kind == "label":
            told = {"label": draw(labels)}
        elif kind == "free":
            told = {"fixed": float("nan")} if op in ("=~", "~~") else {}
        else:
            told = {kind: draw(values)}
        if told or op == "~~":
            said.append(Parameter(lhs, op, rhs, **told))
    constructs = [csi.reflective(name, own) for name, own in blocks.items()]
    return csi.Model(constructs, paths, said)


@settings(max_examples=150, deadline=None)
@given(models())
def test_a_model_survives_the_way_through_semopy(model):
    again = csi.Model.from_semopy(model.to_semopy())
    assert parameters_of(again) == parameters_of(model)
    assert csi.Model.from_semopy(again.to_semopy()) == again
    assert csi.Model.from_syntax(model.to_syntax()) == model


@settings(max_examples=25, deadline=None)
@given(models())
def test_semopy_finds_as_many_parameters(model):
    import semopy

    (layout,) = layouts_of(model, "marker")
    logging.disable(logging.CRITICAL)
    try:
        theirs = semopy.Model(model.to_semopy())
    finally:
        logging.disable(logging.NOTSET)
    assert sum(one.active for one in theirs.parameters.values()) == layout.size


def test_numbers_are_written_to_the_last_digit():
    model = csi.Model.from_syntax(f"A =~ a + {np.pi!r}*b\nA ~~ 1e-20*A")
    assert csi.Model.from_semopy(model.to_semopy()) == model
