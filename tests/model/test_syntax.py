"""Model text in and out."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import csimodel as csi
from csimodel.characters import composed
from csimodel.errors import ModelError
from csimodel.model import Parameter

TEXT = """
# measurement
Image =~ IMAG1 + IMAG2 +
         IMAG3          ! goes on
"perceived value" <~ 'price fair' + PERV2; 满意度 =~ 满意1 + 满意2
Loyalty =~ CUSL1
满意度 ~ Image + "perceived value"
Loyalty ~ 满意度
"""


def test_reads_constructs_paths_quotes_comments_and_continuations():
    model = csi.Model.from_syntax(TEXT)
    assert model.blocks == {
        "Image": ("IMAG1", "IMAG2", "IMAG3"),
        "perceived value": ("price fair", "PERV2"),
        "满意度": ("满意1", "满意2"),
        "Loyalty": ("CUSL1",),
    }
    assert [c.kind for c in model.constructs] == ["reflective", "composite", "reflective", "single"]
    assert model.paths == (
        ("Image", "满意度"),
        ("perceived value", "满意度"),
        ("满意度", "Loyalty"),
    )


def test_what_is_written_is_read_back():
    model = csi.Model.from_syntax(TEXT)
    assert csi.Model.from_syntax(model.to_syntax()) == model


def test_paths_out_of_order_and_a_single_composite_are_read_back():
    model = csi.Model(
        (
            csi.Construct("A", ("a",), "composite"),
            csi.reflective("B", "bc"),
            csi.reflective("C", "c"),
        ),
        (("B", "C"), ("A", "B"), ("A", "C")),
        name="with a name",
    )
    assert csi.Model.from_syntax(model.to_syntax()) == model


@pytest.mark.parametrize("name", ["a\"b'c", "a\nb"])
def test_a_name_that_text_cannot_hold_is_named(name):
    model = csi.Model((csi.reflective(name, "a"), csi.reflective("B", "b")), ((name, "B"),))
    with pytest.raises(ModelError) as caught:
        model.to_syntax()
    assert str(caught.value) == (
        f"The name {name!r} has a line break or both kinds of quotes, which model text cannot hold; "
        "rename it before writing."
    )


def test_what_is_not_text_cannot_be_read():
    with pytest.raises(ModelError) as caught:
        csi.Model.from_syntax(None)
    assert str(caught.value) == (
        "The model text is of type NoneType; give text such as 'Value =~ v1 + v2' "
        "with one statement a line."
    )


names = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp"), blacklist_characters="\"'"),
    min_size=1,
    max_size=8,
).filter(lambda s: s.strip() == s)


@settings(max_examples=60, deadline=None)
@given(st.lists(names, min_size=6, max_size=6, unique_by=composed))
@example(["0", "1", "2", "3", "4", "\uf900"])
@example(["e\u0301", "1", "2", "3", "4", "5"])
def test_any_name_survives_the_round_trip(chosen):
    a, b, *items = chosen
    model = csi.Model((csi.reflective(a, items[:2]), csi.composite(b, items[2:])), ((a, b),))
    assert csi.Model.from_syntax(str(model)) == model


def test_a_construct_may_be_defined_on_several_lines():
    model = csi.Model.from_syntax("A =~ a1\nA =~ a2\nB =~ b1\nB ~ A")
    assert model.blocks["A"] == ("a1", "a2")


def test_lavaan_and_semopy_get_a_single_item_without_error(ecsi):
    lines = ecsi.to_lavaan().splitlines()
    assert "Complaints =~ CUSCO" in lines
    assert lines[-1] == "CUSCO ~~ 0*CUSCO"
    assert ecsi.to_semopy() == ecsi.to_lavaan()


@pytest.mark.filterwarnings("ignore")
def test_semopy_reads_the_export(ecsi):
    import semopy

    model = semopy.Model(ecsi.to_semopy())
    assert set(model.vars["latent"]) == set(ecsi.construct_names)
    assert set(model.vars["observed"]) == set(ecsi.items)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Image IMAG1", "The line 'Image IMAG1' has no operator; write 'Construct =~ item + item', "
         "'Construct <~ item + item' or 'Target ~ Source + Source'."),
        ("A =~ a\nA ~~ b", "'A ~~ b' names 'b', which is neither a construct nor an item of the model."),
        ("A =~ a + b\nA ~~ b", "'A ~~ b' joins a construct and an item; let two constructs covary, or "
         "the errors of two items."),
        ("A =~ a\nA ~~ x*A\nt := x*y", "The definition 't := x*y' uses 'y', which is neither a label nor "
         "a definition; the labels are x and t, and a label is given as in 'Y ~ y*X'."),
        ("A =~ (2)*a", "The line 'A =~ (2)*a' has '(2)' before *, which is no modifier; write a number "
         "(fixed), NA (free), a label, start(0.5), lower(0) or upper(1), and for groups numbers or "
         "labels in c(…, …), with '' where nothing is said."),
        ("A =~ start(x)*a", "The line 'A =~ start(x)*a' has 'x' where a number is expected, as in "
         "start(0.5)."),
        ("A =~ a*b*a", "The line 'A =~ a*b*a' says twice what the label of 'a' is; keep one."),
        ("A <~ 2*a + b", "The composite 'A' has a modifier (*) on 'a'; its weights are estimated, so "
         "write its items alone."),
        ("A =~ a + b\nk > 0", "The line 'k > 0' is about 'k', which is no label of a parameter; no "
         "parameter has a label, and one is given as in 'Y ~ k*X'."),
        ("A =~ a + k*b\nkk > 0", "The line 'kk > 0' is about 'kk', which is no label of a parameter (did "
         "you mean 'k'?); the labels are k, and one is given as in 'Y ~ kk*X'."),
        ("A =~ a + k*b\nk > a*b", "The line 'k > a*b' cannot be used as a constraint; write 'a == b' for "
         "equal parameters, 'a == 0.5' for a value, 'b + d == 1' for a linear equation, 'a > 0' or "
         "'a < 1' for a bound of one label."),
        ("A =~ a + k*b\nk == k*k", "The line 'k == k*k' is not linear in labels of parameters, and only "
         "linear equations restrict them, as 'b + d == 1'; give equal parameters one label, or fix a "
         "value."),
        ("A =~ a + 2*b\nA =~ 3*b", "'A =~ 2*b' and 'A =~ 3*b' say different things of the same parameter; "
         "keep one."),
        ("A =~ a + ", "The line 'A =~ a +' has 'nothing' where a name is expected; join names with + "
         'and put a name that has spaces or signs in quotes, as in "perceived value".'),
        ("A =~ a\nA <~ b", "Construct 'A' is defined with both =~ and <~; choose one."),
        ("A =~ a\nB =~ b\nB ~ Aa", "The path from 'Aa' to 'B' names construct 'Aa', which has no items "
         "(did you mean 'A'?); constructs with items are A and B."),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_quoted(text, message):
    with pytest.raises(ModelError) as caught:
        csi.Model.from_syntax(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A <~ a + b\nB =~ c + d\nB ~ A", "lavaan cannot be given the composite 'A'; "
         "define it with =~ to export it as a common factor."),
        ("'a b' =~ a + b\nB =~ c\nB ~ 'a b'", "lavaan cannot read the name 'a b'; "
         "rename it with letters, digits, dots and underscores before exporting."),
        ("A =~ a\nB =~ B + b\nB ~ A", "lavaan cannot tell the construct from the item 'B'; "
         "rename the construct before exporting."),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_is_named(text, message):
    with pytest.raises(ModelError) as caught:
        csi.Model.from_syntax(text).to_lavaan()
    assert str(caught.value) == message


RESTRICTED = """
A =~ NA*a1 + k*a2 + k*start(0.7)*a3
B =~ b1 + c(p, q)*b2
S =~ s
S ~ 0.3*A + lower(0)*upper(2)*B
a1 ~~ b1
s ~~ 0.2*s
A ~~ 1*A
A ~~ r*B
A ~ 1; b2 ~ c(0, NA)*1
total := k + r^2 * sqrt(p)
r > -1
"""


def test_what_is_said_of_parameters_survives_the_round_trip():
    model = csi.Model.from_syntax(RESTRICTED)
    assert csi.Model.from_syntax(model.to_syntax()) == model
    assert model.labels == ("k", "p", "q", "r")
    said = {(one.lhs, one.op, one.rhs): one for one in model.parameters}
    assert said["S", "~", "A"].fixed == (0.3,)
    assert said["S", "~", "B"].lower == (0.0,)
    assert said["S", "~", "B"].upper == (2.0,)
    assert said["A", "=~", "a3"].start == (0.7,)
    assert said["A", "~~", "B"].lower == (-1.0,)
    assert said["a1", "~~", "b1"] == Parameter("a1", "~~", "b1")
    assert said["b2", "~1", ""].fixed[0] == 0.0
    assert str(model.definitions[0]) == "total := k + r^2*sqrt(p)"
    bare = model.without_parameters()
    assert (bare.parameters, bare.definitions) == ((), ())
    assert bare.blocks == model.blocks


def test_a_model_with_parameters_is_hashed_and_pickled():
    model = csi.Model.from_syntax(RESTRICTED)
    again = pickle.loads(pickle.dumps(model))
    assert again.to_syntax() == model.to_syntax()
    assert hash(csi.Model.from_syntax(RESTRICTED)) == hash(model)
    assert model != model.without_parameters()


def test_constraints_on_labels():
    model = csi.Model.from_syntax(
        "A =~ a + u*b + v*c\nB =~ d + w*e\nB ~ A\nu == v\nw == 0.5\nt := u*v"
    )
    said = {one.rhs: one for one in model.parameters}
    assert said["b"].label == said["c"].label == ("u",)
    assert said["e"].fixed == (0.5,)
    assert str(model.definitions[0]) == "t := u*u"


def test_bounds_on_labels_from_either_side_and_on_all_that_share_one():
    model = csi.Model.from_syntax("A =~ a + u*b + u*c\nB =~ d + w*e\nB ~ A\n0 < u\nw >= -1\nw < 2")
    said = {one.rhs: one for one in model.parameters}
    assert said["b"].lower == said["c"].lower == (0.0,)
    assert said["b"].upper == ()
    assert (said["e"].lower, said["e"].upper) == ((-1.0,), (2.0,))
    assert csi.Model.from_syntax(model.to_syntax()) == model


def test_constraints_chain_in_any_order():
    chained = csi.Model.from_syntax(
        "A =~ a + u*b + v*c + w*d + x*e\nv == w\nu == v\nx == w\nx < 3\nt := x - u"
    )
    labels = {one.label for one in chained.parameters}
    assert len(labels) == 1
    assert {one.upper for one in chained.parameters} == {(3.0,)}
    (label,) = labels.pop()
    assert str(chained.definitions[0]) == f"t := {label} - {label}"


def test_constraints_hold_in_the_fit(mobi):
    text = "Q =~ PERQ1 + a*PERQ2 + b*PERQ3 + c*PERQ5\nV =~ PERV1 + d*PERV2\nV ~ e*Q\n"
    fit = csi.fit(csi.Model.from_syntax(text + "a == b\nc == 1.2\ne < 0.5"), mobi, csi.ML())
    value = fit.parameters.set_index("rhs")["estimate"]
    value = value[fit.parameters["op"].isin(["=~", "~"]).to_numpy()]
    assert value["PERQ2"] == value["PERQ3"]
    assert value["PERQ5"] == 1.2
    assert value["Q"] == 0.5
    free = csi.fit(csi.Model.from_syntax(text), mobi, csi.ML())
    assert fit.fit_measures["df"] == free.fit_measures["df"] + 2
    assert fit.fit_measures["chisq"] > free.fit_measures["chisq"]


def test_names_are_the_same_in_either_unicode_form():
    """Written apart or together, by constructors or in text, of frames or of moments."""
    apart = ["e\u0301a", "e\u0301b", "\uf900", "d"]
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(80, 1)) + rng.normal(size=(80, 4)), columns=apart)
    built = csi.Model(
        (csi.reflective("A\u0301", apart[:2]), csi.reflective("B", apart[2:])), (("A\u0301", "B"),)
    )
    text = csi.Model.from_syntax(
        f"A\u0301 =~ {apart[0]} + {apart[1]}\nB =~ {apart[2]} + d\nB ~ A\u0301"
    )
    assert built == text
    moments = csi.Moments.from_cov(rows.cov().to_numpy(), n=80, items=apart)
    paths = [
        csi.fit(model, data).paths.loc["B", "\xc1"]
        for model in (built, text)
        for data in (rows, moments)
    ]
    assert np.ptp(paths) < 1e-9
