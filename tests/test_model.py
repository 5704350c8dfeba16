"""The model as a value: derived facts and every sentence it refuses with."""

import pytest

import csimodel as csi
from csimodel.errors import ModelError


def test_ecsi_has_its_constructs_and_paths(ecsi):
    assert ecsi.construct_names == (
        "Image", "Expectation", "Quality", "Value", "Satisfaction", "Complaints", "Loyalty",
    )  # fmt: skip
    assert len(ecsi.paths) == 12
    assert ecsi.sources_of("Satisfaction") == ("Image", "Expectation", "Quality", "Value")
    assert ecsi.endogenous == ecsi.construct_names[1:]
    assert [c.kind for c in ecsi.constructs].count("single") == 1


def test_adjacency_is_targets_by_sources(ecsi):
    names = ecsi.construct_names
    assert ecsi.adjacency[names.index("Expectation"), names.index("Image")]
    assert not ecsi.adjacency[names.index("Image"), names.index("Expectation")]
    assert ecsi.adjacency.sum() == 12


def test_acsi_matches_the_public_columns():
    model = csi.models.acsi()
    assert len(model.paths) == 9
    assert model.blocks["Satisfaction"] == ("SATIS", "CONFIRM", "IDEAL")


def test_items_can_be_replaced_and_a_single_item_becomes_single():
    model = csi.models.ecsi(items={"Value": "v"})
    assert model.blocks["Value"] == ("v",)
    assert model.constructs[3].kind == "single"


def test_models_are_values(ecsi):
    assert csi.models.ecsi() == ecsi
    assert hash(csi.models.ecsi()) == hash(ecsi)
    with pytest.raises(AttributeError):
        ecsi.paths = ()


A, B, C = (csi.reflective(n, [f"{n.lower()}1", f"{n.lower()}2"]) for n in "ABC")


@pytest.mark.parametrize(
    ("constructs", "paths", "message"),
    [
        ((), (), "The model has no constructs; define at least one, as in 'Value =~ v1 + v2'."),
        ((A, A), (), "Construct 'A' is defined twice; give all its items in one place."),
        (
            (A, csi.reflective("D", ["a2", "d1"])),
            (("A", "D"),),
            "Item 'a2' belongs to both 'A' and 'D'; an item may measure one construct only.",
        ),
        (
            (csi.reflective("Image", "i"), csi.reflective("Value", "v")),
            (("Imge", "Value"),),
            "The path from 'Imge' to 'Value' names construct 'Imge', which has no items "
            "(did you mean 'Image'?); constructs with items are Image and Value.",
        ),
        ((A, B), (("A", "A"),), "Construct 'A' has a path to itself; remove it."),
        (
            (A, B),
            (("A", "B"), ("A", "B")),
            "The path from 'A' to 'B' is given 2 times; give it once.",
        ),
        (
            (A, B, C),
            (("A", "B"), ("B", "C"), ("C", "A")),
            "The paths form a cycle, A → B → C → A; "
            "remove one of them, since only recursive models can be estimated.",
        ),
        (
            (A, B, C),
            (("A", "B"),),
            "Construct 'C' has no path to or from another construct; "
            "add a path or remove the construct.",
        ),
    ],
)
def test_contradictions_are_named(constructs, paths, message):
    with pytest.raises(ModelError) as caught:
        csi.Model(constructs, paths)
    assert str(caught.value) == message


def test_a_construct_needs_items_and_each_once():
    with pytest.raises(
        ModelError, match=r"^Construct 'A' has no items; give it at least one column.$"
    ):
        csi.reflective("A", [])
    with pytest.raises(
        ModelError, match=r"^Construct 'A' names item 'x' twice; name each item once.$"
    ):
        csi.reflective("A", ["x", "x"])


def test_catalogue_names_a_misspelt_construct():
    with pytest.raises(ModelError) as caught:
        csi.models.ecsi(items={"Satisfction": ["a"]})
    assert "Construct 'Satisfction' is not in the model (did you mean 'Satisfaction'?)" in str(
        caught.value
    )
