"""Direct, indirect and total effects, along each chain of paths, against lavaan and laws."""

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import ModelError, OptionError
from csimodel.estimators.effects import chains, number_of_chains

NAMES = {
    "image_quality_satisfaction": ("Image", "Satisfaction", "Image → Quality → Satisfaction"),
    "image_quality_value_satisfaction": (
        "Image",
        "Satisfaction",
        "Image → Quality → Value → Satisfaction",
    ),
    "image_satisfaction": ("Image", "Satisfaction", "total"),
    "quality_satisfaction": ("Quality", "Satisfaction", "total"),
    "quality_satisfaction_indirect": ("Quality", "Satisfaction", "indirect"),
    "satisfaction_loyalty": ("Satisfaction", "Loyalty", "total"),
    "satisfaction_complaints_loyalty": (
        "Satisfaction",
        "Loyalty",
        "Satisfaction → Complaints → Loyalty",
    ),
    "image_loyalty": ("Image", "Loyalty", "indirect"),
    "image_quality_value_satisfaction_complaints_loyalty": (
        "Image",
        "Loyalty",
        "Image → Quality → Value → Satisfaction → Complaints → Loyalty",
    ),
}


@pytest.fixture(scope="module")
def reduced(reference):
    return csi.Model.from_syntax(reference("mobi_lavaan.json")["reduced_syntax"])


@pytest.fixture(scope="module")
def ml(reduced, mobi):
    return csi.fit(reduced, mobi, csi.ML())


def test_effects_equal_lavaan(ml, reference):
    theirs = pd.DataFrame(
        {k: v for k, v in reference("mobi_effects.json").items() if k != "provenance"}
    )
    assert len(theirs) == 9
    for row in theirs.itertuples():
        ours = ml.effects.loc[NAMES[row.name]]
        for own, value in (("estimate", row.est), ("se", row.se), ("lower", row.lower)):
            assert ours[own] == pytest.approx(value, rel=1e-7), row.name
        assert ours["std"] == pytest.approx(row.std, rel=1e-7)
        # lavaan differentiates numerically.
        assert ours["std_se"] == pytest.approx(row.std_se, rel=1e-5)


def test_the_table_names_every_chain(ml, reduced):
    table = ml.effects
    assert table.index.names == ["source", "target", "effect"]
    assert table.index.is_unique
    kinds = table.index.get_level_values("effect")
    assert (kinds == "direct").sum() == 7
    assert (kinds == "total").sum() == len(table.groupby(level=["source", "target"])) == 15
    assert table.loc[("Image", "Loyalty")].index.tolist() == [
        "indirect",
        "total",
        "Image → Quality → Satisfaction → Loyalty",
        "Image → Quality → Value → Satisfaction → Loyalty",
        "Image → Quality → Satisfaction → Complaints → Loyalty",
        "Image → Quality → Value → Satisfaction → Complaints → Loyalty",
    ]
    lone = table.loc[("Complaints", "Loyalty")]
    np.testing.assert_array_equal(lone.loc["direct"], lone.loc["total"])


def test_direct_effects_are_the_paths_with_their_errors(ml):
    paths = ml.parameters.query("op == '~'")
    for row in paths.itertuples():
        ours = ml.effects.loc[(row.rhs, row.lhs, "direct")]
        for name in ("estimate", "se", "z", "p", "lower", "upper", "std", "std_se", "std_upper"):
            assert ours[name] == pytest.approx(getattr(row, name), rel=1e-10)


def test_chains_add_up_to_the_matrices(ml, ecsi, mobi):
    for fit in (ml, csi.fit(ecsi, mobi, csi.ML())):
        table = fit.effects["std"]
        for (source, target), own in table.groupby(level=["source", "target"]):
            own = own.droplevel(["source", "target"])
            through = own[[name for name in own.index if "→" in name]].sum()
            assert own["total"] == pytest.approx(fit.total_effects.loc[target, source], abs=1e-9)
            assert through == pytest.approx(fit.indirect_effects.loc[target, source], abs=1e-9)


def test_defined_parameters_are_the_same_effects(mobi):
    model = csi.Model.from_syntax(
        "Q =~ PERQ1 + PERQ3 + PERQ7\nV =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2 + CUSA3\n"
        "V ~ a*Q\nS ~ b*V + c*Q\nthrough := a*b\nall := a*b + c"
    )
    fit = csi.fit(model, mobi, csi.ML(se="robust"))
    columns = ["estimate", "se", "z", "p", "lower", "upper"]
    for name, key in (("through", "Q → V → S"), ("all", "total")):
        ours = fit.effects.loc[("Q", "S", key), columns].astype(float)
        np.testing.assert_allclose(ours, fit.defined.loc[name, columns].astype(float), rtol=1e-8)


def test_equal_and_fixed_paths_have_one_error(mobi):
    text = "Q =~ PERQ1 + PERQ3 + PERQ7\nV =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2 + CUSA3\n"
    equal = csi.fit(csi.Model.from_syntax(text + "V ~ a*Q\nS ~ a*V"), mobi, csi.ML())
    chain = equal.effects.loc[("Q", "S", "Q → V → S")]
    path = equal.effects.loc[("Q", "V", "direct")]
    assert chain["estimate"] == pytest.approx(path["estimate"] ** 2)
    assert chain["se"] == pytest.approx(2 * abs(path["estimate"]) * path["se"])
    fixed = csi.fit(csi.Model.from_syntax(text + "V ~ 0.8*Q\nS ~ V"), mobi, csi.ML()).effects
    chain, path = fixed.loc[("Q", "S", "Q → V → S")], fixed.loc[("V", "S", "direct")]
    assert chain["se"] == pytest.approx(0.8 * path["se"])
    nothing = fixed.loc[("Q", "V", "direct"), ["se", "z", "p", "lower", "upper"]]
    assert nothing.astype(float).isna().all()  # what is fixed has no error, never 0
    assert fixed.loc[("Q", "V", "direct"), "std_se"] > 0  # variances are estimated


def test_specific_effects_have_bootstrap_intervals_by_pls_and_ml(ml, ecsi, fit, mobi):
    boot = csi.bootstrap(ml, draws=200, rng=3, progress=False).table("specific_indirect_effects")
    assert boot.index.name == "path"
    for name in ("Image → Quality → Satisfaction", "Quality → Value → Satisfaction"):
        source, *_, target = name.split(" → ")
        ours = ml.effects.loc[(source, target, name)]
        assert boot.loc[name, "estimate"] == pytest.approx(ours["std"], abs=1e-9)
        assert 0.7 < boot.loc[name, "se"] / ours["std_se"] < 1.9  # answers are not normal
    pls = csi.bootstrap(fit, draws=50, rng=3, progress=False)
    table = pls.table("specific_indirect_effects")["estimate"]
    for target in ecsi.construct_names:
        for source in ecsi.construct_names:
            own = [n for n in table.index if n.startswith(source) and n.endswith(target)]
            if own and source != target:
                assert table[own].sum() == pytest.approx(fit.indirect_effects.loc[target, source])


def test_groups_have_effects_with_joint_errors(chain, population):
    frame = pd.concat([population(200, 1).assign(g="a"), population(300, 2).assign(g="b")])
    joint = csi.fit_multigroup(chain, frame, "g")
    alone = csi.fit(chain, frame[frame["g"] == "a"], csi.ML(means=True))
    pd.testing.assert_frame_equal(joint["a"].effects, alone.effects, rtol=1e-5)


def test_a_model_without_chains_has_no_specific_effects(mobi):
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ7\nV =~ PERV1 + PERV2\nV ~ Q")
    fit = csi.fit(model, mobi, csi.ML())
    assert fit.effects.index.get_level_values("effect").tolist() == ["direct", "total"]
    alone = csi.fit(csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ7"), mobi, csi.ML())
    assert alone.effects.empty
    boot = csi.bootstrap(fit, draws=30, rng=1, progress=False)
    assert boot.draws("specific_indirect_effects").shape == (30, 0)


def test_effects_with_errors_need_a_covariance_structure(fit):
    with pytest.raises(OptionError, match=r"take errors for PLS from csi\.bootstrap\(fit\)"):
        fit.effects  # noqa: B018


def dense(size: int) -> csi.Model:
    """Return a model in which every construct depends on all before it."""
    names = [f"C{k}" for k in range(size)]
    measured = [f"{name} =~ x{k} + y{k}" for k, name in enumerate(names)]
    paths = [f"{names[k]} ~ {' + '.join(names[:k])}" for k in range(1, size)]
    return csi.Model.from_syntax("\n".join([*measured, *paths]))


@pytest.mark.parametrize("size", [2, 3, 6, 9])
def test_chains_are_counted_without_making_them(size):
    model = dense(size)
    assert number_of_chains(model) == len(chains(model)) == 2**size - size - 1


def test_chains_of_a_dense_model_are_refused_after_counting_them():
    with pytest.raises(ModelError, match=r"60 constructs make 1,152,921,504,606,846,915 chains"):
        chains(dense(60))
    with pytest.raises(ModelError, match=r"at most 3,000; take fit\.total_effects"):
        chains(dense(12))
