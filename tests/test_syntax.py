"""Model text in and out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import csimodel as csi
from csimodel.errors import ModelError

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
@given(st.lists(names, min_size=6, max_size=6, unique=True))
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
        ("A ~~ B", "The line 'A ~~ B' uses covariances (~~), which no estimator here reads; remove the line."),
        ("A =~ 1*a", "The line 'A =~ 1*a' has '1*a' where a name is expected; join names with + "
         'and put a name that has spaces or signs in quotes, as in "perceived value".'),
        ("A =~ a*b", "The line 'A =~ a*b' has '*' after 'a'; labels, starts and fixed values (*) "
         "cannot be read here, join names with +."),
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
        ("A =~ a\nB =~ B\nB ~ A", "lavaan cannot tell the construct from the item 'B'; "
         "rename the construct before exporting."),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_is_named(text, message):
    with pytest.raises(ModelError) as caught:
        csi.Model.from_syntax(text).to_lavaan()
    assert str(caught.value) == message
