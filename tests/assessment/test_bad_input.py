"""What reviewers' methods say of input that they cannot take, message by message."""

import numpy as np
import pytest

import csimodel as csi
from csimodel.errors import ModelError, OptionError, SurveyError

MODEL = csi.models.ecsi()
DATA = csi.load_mobi().data
ONE = DATA.assign(g="a")
TWO = DATA.assign(g=["a"] * 248 + ["b"] * 2)
SAME = DATA.assign(PERQ1=5)
PARTS = "A =~ PERQ1 + PERQ2\nB =~ CUSA1 + CUSA2\nC =~ PERV1 + PERV2\n"
CHAIN = csi.Model.from_syntax(PARTS + "B ~ A\nC ~ B")
SINGLE = "by='g' makes a single group with answers (a), and a comparison needs two; choose another column."  # fmt: skip
CONSTANT = (
    "Column 'PERQ1' has the same value, 5, in every row used; an item without variation carries no "
    "information, so leave it out of the model."
)
NO_SOLUTION = "no solution in group b: fewer than 3 rows"


@pytest.fixture(scope="module")
def fit():
    return csi.fit(MODEL, DATA)


def group_calls():
    return {
        "micom": lambda data: csi.micom(MODEL, data, "g", 20, rng=1, progress=False),
        "permutation": lambda data: csi.compare_groups(
            MODEL, data, "g", permutations=20, rng=1, progress=False
        ),
        "henseler": lambda data: csi.compare_groups(
            MODEL, data, "g", method="henseler", draws=20, rng=1, progress=False
        ),
    }


@pytest.mark.parametrize("name", list(group_calls()))
def test_one_group_is_refused(name):
    with pytest.raises(SurveyError) as told:
        group_calls()[name](ONE)
    assert str(told.value) == SINGLE


@pytest.mark.parametrize("name", list(group_calls()))
def test_a_group_of_two_rows_has_no_test_and_a_reason(name):
    table = group_calls()[name](TWO).table
    assert table["p"].isna().all()
    assert (table["reason"] == NO_SOLUTION).all()


def test_groups_together_need_two_that_can_be_fitted():
    with pytest.raises(OptionError) as told:
        csi.invariance(CHAIN, ONE, "g", progress=False)
    assert str(told.value) == "by='g' makes one group only; name a column with several values."
    with pytest.raises(csi.CsimodelError) as told:
        csi.invariance(CHAIN, TWO, "g", progress=False)
    assert str(told.value) == (
        "Group b: Nothing was estimated because there are only 2 rows and at least 3 are needed; "
        "check the missing-data policy and the weights."
    )


@pytest.mark.parametrize(
    ("lines", "product", "target", "factor"),
    [
        ("B ~ A + A:B", "A:B", "B", "B"),
        ("B ~ A + C\nC ~ B + A + B:A", "B:A", "C", "B"),
        ("B ~ A\nC ~ B\nB ~ A:C", "A:C", "B", "C"),
        ("B ~ A\nA ~ B:B", "B^2", "A", "B"),
    ],
)
def test_a_product_that_leads_back_to_its_factor_is_refused(lines, product, target, factor):
    with pytest.raises(ModelError) as told:
        csi.Model.from_syntax(PARTS + lines)
    assert str(told.value) == (
        f"The product {product!r} leads to {target!r}, from which its factor {factor!r} follows, so "
        "the paths form a cycle; let products lead to what comes after all their factors."
    )


@pytest.mark.parametrize("sign", ["=~", "<~"])
def test_a_construct_of_one_construct_is_refused(sign):
    with pytest.raises(ModelError) as told:
        csi.Model.from_syntax(f"{PARTS}Q {sign} A\nC ~ Q\nB ~ C")
    assert str(told.value) == (
        "Construct 'Q' of constructs has one part, 'A'; name at least 2, or let paths lead to and "
        "from 'A' itself."
    )


def test_more_folds_than_respondents_are_refused(fit):
    for function, folds in ((csi.predict, 251), (csi.cvpat, 1000)):
        with pytest.raises(OptionError) as told:
            function(fit, folds=folds, rng=1)
        sentence = f"folds={folds} must be from 2 to the number of respondents, 250."
        assert str(told.value) == sentence
    with pytest.raises(OptionError) as told:
        csi.predict(fit, folds=1, rng=1)
    assert str(told.value) == "folds=1 must be a whole number of at least 2, and 5 to 10 as a rule."


def test_constant_items_have_no_polychoric_correlations():
    estimators = (csi.PLS(correlations="polychoric"), csi.WLSMV(), csi.PLS(consistent=True))
    for estimator in estimators:
        with pytest.raises(SurveyError) as told:
            csi.fit(CHAIN, SAME, estimator)
        assert str(told.value) == CONSTANT


def test_fimix_of_20_rows_is_refused():
    few = csi.fit(CHAIN, DATA.iloc[:20])
    with pytest.raises(SurveyError) as told:
        csi.assessment.fimix(few, progress=False)
    assert str(told.value) == (
        "fimix needs at least 30 respondents with scores to find segments, and there are 20; ask "
        "more, or compare groups that are known."
    )
    assert np.isfinite(few.paths.to_numpy()).all()


def test_higher_order_by_plsc_beside_what_makes_other_scores_is_refused():
    text = PARTS + "D =~ IMAG1 + IMAG2\nQ =~ A + B\nC ~ Q\nQ ~ D"
    cases = {
        "consistent=True corrects the scores that 'Q' is made of, and higher_order='embedded' makes "
        "it of items, too; use higher_order='disjoint'.": {"higher_order": "embedded"},
        "consistent=True corrects the scores that 'Q' is made of, and reestimate=True makes others "
        "beside it; leave one of the two out.": {"reestimate": True},
    }
    for sentence, more in cases.items():
        with pytest.raises(OptionError) as told:
            csi.fit(csi.Model.from_syntax(text), DATA, csi.PLS(consistent=True, **more))
        assert str(told.value) == sentence
    with pytest.raises(ModelError) as told:
        csi.fit(
            csi.Model.from_syntax(text + "\nE =~ IMAG3 + IMAG4\nC ~ D + E + D:E"),
            DATA,
            csi.PLS(consistent=True),
        )
    assert str(told.value) == (
        "PLSc (consistent=True) corrects constructs of constructs or products, not both in one "
        "model; take 'Q' or 'D:E' out of it, or leave consistent=False."
    )
