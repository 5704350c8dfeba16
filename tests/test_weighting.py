"""The iteration of PLS weights: laws of its kernel."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.estimators.weighting import _inverse, outer_weights

MODEL = csi.Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nB ~ A\nC ~ B")
ROOM = (1e-13, 2000)  # tolerance and iterations


def correlations(seed, items=6):
    rng = np.random.default_rng(seed)
    return np.corrcoef(rng.normal(size=(items, items + 4)) + rng.normal(size=items + 4))


@pytest.mark.parametrize("scheme", ["path", "factorial", "centroid"])
@pytest.mark.parametrize("seed", range(4))
def test_weights_fall_and_rise_until_they_stand(seed, scheme):
    """Reversing items reverses their weights; weights that all fall have not stood still."""
    cor = correlations(seed)
    ours, _, settled = outer_weights(cor[..., None], MODEL, ("A",) * 3, scheme, *ROOM)
    assert settled.all()
    for signs in itertools.product([1.0, -1.0], repeat=6):
        turned = cor * np.outer(signs, signs)
        weights, _, well = outer_weights(turned[..., None], MODEL, ("A",) * 3, scheme, *ROOM)
        assert well.all()
        turns = weights[:, 0] * signs / ours[:, 0]
        blocks = turns.reshape(3, 2)
        assert_allclose(np.abs(turns), 1.0, atol=1e-9)
        assert_allclose(blocks[:, 0], blocks[:, 1], atol=1e-9)


def test_the_inverse_is_one_and_what_has_none_spoils_no_other():
    matrices = np.stack([correlations(1, 3), np.ones((3, 3)), correlations(2, 3), np.eye(3)])
    inverse = _inverse(matrices)
    for k in (0, 2, 3):
        assert_allclose(matrices[k] @ inverse[k], np.eye(3), atol=1e-12)
    assert np.isnan(inverse[1]).all()


@pytest.mark.parametrize(("excess", "kept"), [(1e-8, True), (1e-12, False)])
def test_collinear_items_have_no_inverse_where_only_rounding_parts_them(excess, kept):
    near = np.array([[[1.0, 1.0 - excess], [1.0 - excess, 1.0]]])  # inflation 1 / 2 excess
    assert np.isfinite(_inverse(near)).all() == kept
