"""Scales of answers: contrasts of two arms by arithmetic, and what each scale says of itself."""

import string

import numpy as np
import pytest

from hiermod.answers.scales import (
    CONTRASTS,
    PARAMETERS,
    PREDICTIONS,
    RATES,
    SLOPES,
    difference,
    expm1,
    of_logarithms,
    ratio,
)
from hiermod.answers.scales import exp as exponential

TREATED, CONTROL = np.array([0.2, 0.5, 0.9]), np.array([0.4, 0.25, 0.6])
CONTRAST = {
    "difference": [-0.2, 0.25, 0.3], "link": [-0.2, 0.25, 0.3], "ratio": [0.5, 2.0, 1.5], "lift": [-0.5, 1.0, 0.5],
    "odds_ratio": [0.25 / (2.0 / 3.0), 3.0, 6.0],
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRAST)
def test_contrasts_of_two_arms_are_by_arithmetic(name):
    scale = CONTRASTS[name]
    np.testing.assert_allclose(scale.compare(TREATED, CONTROL), CONTRAST[name], rtol=1e-14)
    assert scale.compare(CONTROL, CONTROL) == pytest.approx(scale.null)
    assert scale.name == name
    if scale.of_logs is not None:
        odds = [np.log(arm / (1.0 - arm)) if name == "odds_ratio" else np.log(arm) for arm in (TREATED, CONTROL)]
        np.testing.assert_allclose(scale.of_logs(odds[0] - odds[1]), CONTRAST[name], rtol=1e-13)
    assert (scale.of_logs is None) == (name in ("difference", "link"))
    assert scale.relative == (name in ("ratio", "lift"))
    assert scale.additive == (name in ("difference", "link"))
    assert scale.median == (scale.of_logs is not None)
    assert (scale.linear, scale.drawn) == (name == "link", False)
    assert scale.ticks == {"difference": "points", "lift": "change", "link": "number"}.get(name, "factor")
    assert scale.factor == (100.0 if name == "lift" else 1.0)


def test_factors_interact_as_factors_and_changes_as_changes():
    one, other = np.array([3.0, 0.5]), np.array([1.5, 2.0])
    for name, scale in CONTRASTS.items():
        expected = [2.0, 0.25] if name in ("ratio", "odds_ratio") else [1.5, -1.5]
        np.testing.assert_allclose(scale.interact(one, other), expected)
        assert scale.null == (1.0 if name in ("ratio", "odds_ratio") else 0.0)


def test_numbers_without_end_come_without_a_warning():
    with np.errstate(all="raise", under="ignore"):
        for function in (exponential, expm1):
            assert function(np.array([800.0])) == np.inf
    np.testing.assert_allclose(exponential(np.array([0.3])), np.exp(0.3))
    np.testing.assert_allclose(expm1(np.array([1e-9])), 1e-9, rtol=1e-8)


@pytest.mark.parametrize("base", [np.e, 10.0, 2.0])
def test_ratios_of_logarithms_are_those_of_geometric_means(base):
    treated, control = np.array([1.2, -0.3]), np.array([0.2, 0.5])
    for name, less in (("ratio", 0.0), ("lift", 1.0)):
        scale = of_logarithms(CONTRASTS[name], base)
        np.testing.assert_allclose(scale.compare(treated, control), base**treated / base**control - less, rtol=1e-12)
        assert (scale.of_logs, scale.relative, scale.name, scale.ticks) == (None, False, name, CONTRASTS[name].ticks)


def test_labels_have_places_for_what_is_measured():
    places = {}
    for scale in (*CONTRASTS.values(), RATES, *SLOPES.values(), *PREDICTIONS.values(), PARAMETERS):
        found = {name for _, name, _, _ in string.Formatter().parse(scale.label) if name}
        assert found <= {"measure", "points", "link", "variable"}
        places[scale.label] = found
        assert scale.size.count("{}") == (1 if scale.size else 0)
    assert places["difference in {measure}{points}"] == {"measure", "points"}
    assert [scale.linear for scale in SLOPES.values()] == [False, True]
    assert {name: (own.name, own.linear, own.drawn, own.null) for name, own in PREDICTIONS.items()} == {
        "mean": ("mean", False, False, None), "link": ("link", True, False, None),
        "response": ("response", False, True, None),
    }  # fmt: skip
    assert {name: (own.name, own.null) for name, own in SLOPES.items()} == {
        "response": ("response", 0.0), "link": ("link", 0.0)
    }  # fmt: skip
    assert (RATES.name, RATES.ticks, RATES.null, PREDICTIONS["mean"].ticks) == ("response", "share", None, "share")
    assert (PARAMETERS.name, PARAMETERS.ticks, PARAMETERS.null) == ("parameters", "number", 0.0)
    assert (SLOPES["response"].compare, CONTRASTS["ratio"].compare) == (difference, ratio)
