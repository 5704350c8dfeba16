"""The model as a value: derived facts and every sentence it refuses with."""

import pickle
import subprocess
import sys

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
            (A, csi.composite("D", ["a2", "d1"])),
            (("A", "D"),),
            "Item 'a2' belongs to both 'A' and 'D'; an item may measure one construct only, unless "
            "both are reflective (=~) and have other items.",
        ),
        (
            (csi.reflective("D", ["a", "b"]), csi.reflective("E", "a")),
            (("D", "E"),),
            "Item 'a' belongs to both 'D' and 'E'; an item may measure one construct only, unless "
            "both are reflective (=~) and have other items.",
        ),
        (
            tuple(csi.reflective(name, ["a", "b"]) for name in "DEF"),
            (("D", "E"), ("E", "F")),
            "Construct 'F' has no item that is not needed by another; give the constructs more "
            "items, or remove one of them.",
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


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("A", ("a", "b"), "formative"), "Construct 'A' is of kind 'formative'; use 'reflective' (=~), "
         "'composite' (<~) or 'single' (one item)."),
        ((" ", ("a", "b"), "reflective"), "Construct ' ' has the name ' ' in it, which is blank; name "
         "constructs and items by text, as the columns of the data."),
        (("A", (7, "b"), "reflective"), "Construct 'A' has the name 7 in it, which is not text; name "
         "constructs and items by text, as the columns of the data."),
        (("A", 7, "reflective"), "Construct 'A' has the name 7 in it, which is not text; name "
         "constructs and items by text, as the columns of the data."),
        (("A", ("a", "b"), "single"), "Construct 'A' is of kind 'single' and has 2 items; name one, or "
         "use 'reflective' or 'composite'."),
    ],
)  # fmt: skip
def test_constructs_that_make_no_sense_are_named(given, message):
    with pytest.raises(ModelError) as caught:
        csi.Construct(*given)
    assert str(caught.value) == message


def test_items_may_be_a_list_or_one_name():
    assert csi.Construct("A", ["a", "b"], "reflective") == csi.reflective("A", ("a", "b"))
    assert csi.Construct("A", "ab", "composite") == csi.reflective("A", ["ab"])


def test_parts_of_a_model_must_be_constructs_and_pairs():
    with pytest.raises(ModelError, match=r"^'A' is not a construct; make one with csi.reflective"):
        csi.Model(("A", B))
    for path in ("AB", ("A",), 5):
        with pytest.raises(ModelError, match=r" is not a pair; write \(source, target\), as in "):
            csi.Model((A, B), (path,))


def test_a_long_chain_is_a_model_and_a_long_cycle_is_named():
    constructs = tuple(csi.reflective(f"C{i}", f"i{i}") for i in range(1500))
    chain = [(f"C{i}", f"C{i + 1}") for i in range(1499)]
    assert len(csi.Model(constructs, chain).endogenous) == 1499
    with pytest.raises(ModelError, match="The paths form a cycle, C0 → C1 → C2 → "):
        csi.Model(constructs, [*chain, ("C1499", "C0")])


def test_neither_the_order_of_paths_nor_the_name_tells_models_apart():
    one = csi.Model((A, B, C), (("B", "C"), ("A", "C"), ("A", "B")), name="mine")
    other = csi.Model((A, B, C), (("A", "B"), ("A", "C"), ("B", "C")))
    assert one == other
    assert hash(one) == hash(other)
    assert one.paths == (("A", "B"), ("A", "C"), ("B", "C"))


def test_a_model_from_another_process_hashes_like_its_equal(tmp_path):
    model = csi.Model((A, B), (("A", "B"),), name="mine")
    hash(model)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    script = (
        "import csimodel as csi, pathlib, pickle, sys\n"
        "model = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "assert model.name == 'mine'\n"
        "assert {csi.Model(model.constructs, model.paths): 1}[model] == 1"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path / "model.pickle"], check=True)
