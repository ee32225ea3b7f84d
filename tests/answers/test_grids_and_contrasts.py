"""Grids of numbers in steps that people count in, and contrasts of arms as weighted averages: by hand."""

import numpy as np
import pytest

import hiermod as hm
from hiermod.answers.averaging.contrasts import contrast_name, control_of, control_place, pair_arms, read_scale
from hiermod.answers.averaging.numbers import Grid, even_steps, round_steps, shown_range
from hiermod.answers.log_means import Logs
from hiermod.answers.scales import CONTRASTS
from hiermod.errors import AnswerError
from hiermod.families.registry import FAMILIES

LEVELS = ("a", "b", "c")
DRAWS = np.random.default_rng(3).uniform(0.1, 0.9, (2, 3, 7))


def steps(low, high, size=400):
    return round_steps(np.linspace(low, high, size))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, np.arange(0.0, 21.0) / 20.0),
        (0.0, 100.0, np.arange(0.0, 101.0, 5.0)),
        (0.0, 40.0, np.arange(0.0, 41.0, 2.0)),
        (0.0, 50.0, np.arange(0.0, 50.1, 2.5)),
        (0.0, 21.0, [*np.arange(0.0, 21.1, 2.0), 21.0]),
        (0.03, 1.02, [0.03, *np.arange(1.0, 21.0) / 20.0, 1.02]),
        (-7.3, 12.9, [-7.2, *np.arange(-6.0, 13.0, 2.0), 12.8]),
        (1e-5, 2.1e-4, np.arange(1.0, 22.0) * 1e-5),
        (1e6, 3e6, np.arange(1e6, 3.05e6, 1e5)),
    ],
)
def test_grids_are_in_round_steps_with_the_ends_of_the_range(low, high, expected):
    np.testing.assert_allclose(steps(low, high), expected, rtol=1e-12, atol=1e-18)
    np.testing.assert_allclose(Grid("x").values(np.linspace(low, high, 400)), expected, rtol=1e-12, atol=1e-18)


def test_whole_numbers_have_whole_steps_and_few_values_stand_as_they_are():
    np.testing.assert_array_equal(round_steps(np.arange(23.0)), [*np.arange(0.0, 22.0, 2.0), 22.0])
    np.testing.assert_array_equal(round_steps(np.arange(3.0, 54.0)), [3.0, *np.arange(4.0, 53.0, 2.0), 53.0])
    np.testing.assert_array_equal(round_steps(np.arange(50.0)), [*np.arange(0.0, 49.0, 2.0), 49.0])
    np.testing.assert_array_equal(round_steps(np.array([3.0, 1.5, 1.5, 7.25])), [1.5, 3.0, 7.25])
    np.testing.assert_array_equal(round_steps(np.arange(21) / 7.0), np.arange(21) / 7.0)
    assert len(round_steps(np.arange(22) / 7.0)) > 15
    assert (np.diff(round_steps(np.arange(1000.0), points=5)) <= 250.0).all()


def test_few_numbers_that_stand_far_apart_do_not_stretch_a_grid():
    near = np.linspace(0.0, 1.0, 1000)
    inner = tuple(np.quantile([*near, 50.0], [0.01, 0.99]))
    assert shown_range(np.array([*near, 50.0])) == inner
    assert shown_range(np.array([*near, 2.5])) == (0.0, 2.5)
    assert shown_range(np.array([*near, -1.9])) == (-1.9, 1.0)
    assert shown_range(np.array([*near, -2.0])) == tuple(np.quantile([*near, -2.0], [0.01, 0.99]))
    assert shown_range(np.array([*near, -50.0]))[0] > -1.0
    assert shown_range(np.array([1.0] * 999 + [5.0])) == (1.0, 5.0)
    assert round_steps(np.array([*near, 50.0])).max() < 1.0


def test_even_steps_are_rounded_to_a_thousandth_of_their_distance():
    np.testing.assert_array_equal(even_steps(np.array([20.0, 30.0, 60.0]), 3), [20.0, 40.0, 60.0])
    seen = even_steps(np.array([0.0, 1.0]), 4)
    np.testing.assert_allclose(seen, [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0], atol=1e-3 / 3.0)
    assert all(len(f"{value:.10g}") <= 7 for value in seen)
    low, high = 0.123456789, 7.987654321
    seen = even_steps(np.array([low, high]), 11)
    assert (seen.min(), seen.max()) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))
    assert ((seen >= low) & (seen <= high)).all()
    np.testing.assert_allclose(np.diff(seen), (high - low) / 10.0, rtol=2e-3)
    ends = np.array([1000.123456, 1001.234567])
    np.testing.assert_allclose(even_steps(ends, 11), np.linspace(*ends, 11), atol=1.2e-4)
    with pytest.raises(AnswerError, match=r"All values are 3: there is no grid of them"):
        even_steps(np.array([3.0, 3.0]), 4)


def test_a_grid_is_of_one_column_and_of_two_values_to_a_thousand():
    assert hm.grid("age", np.int64(2)) == Grid("age", 2)
    assert hm.grid("age", 1000).points == 1000
    assert hm.grid("age") == Grid("age", None)
    np.testing.assert_array_equal(hm.grid("age", 3).values(np.array([0.0, 4.0, 1.0])), [0.0, 2.0, 4.0])
    for points in (1, 1001, True, 2.0, "5", 0, -3):
        with pytest.raises(AnswerError, match=r"a whole number from 2 to 1,000 is needed"):
            hm.grid("age", points)
    with pytest.raises(AnswerError, match=r"hm\.grid\(3\): the name of one column is needed"):
        hm.grid(3)
    with pytest.raises(AnswerError, match=r"hm\.grid\('age'\) has no values of its own"):
        list(hm.grid("age"))


@pytest.mark.parametrize(
    ("contrast", "control", "labels", "weights"),
    [
        ("control", None, ["b vs a", "c vs a"], [[-1, 1, 0], [-1, 0, 1]]),
        ("control", "c", ["a vs c", "b vs c"], [[1, 0, -1], [0, 1, -1]]),
        ("pairs", None, ["b vs a", "c vs a", "c vs b"], [[-1, 1, 0], [-1, 0, 1], [0, -1, 1]]),
        ("sequential", None, ["b vs a", "c vs b"], [[-1, 1, 0], [0, -1, 1]]),
        ("mean", None, ["a vs mean", "b vs mean", "c vs mean"], np.eye(3) - 1.0 / 3.0),
        ({"ab vs c": {"a": 0.5, "b": 0.5, "c": -1}}, None, ["ab vs c"], [[0.5, 0.5, -1.0]]),
        ({"twice": {"a": -2, "c": 2}, 7: {"b": 3, "a": -3}}, None, ["twice", "7"], [[-2, 0, 2], [-3, 3, 0]]),
        ({"added": {"a": 1, "b": -1.0000000001, "c": 0}}, None, ["added"], [[1, -1, 0]]),
    ],
)
def test_contrasts_are_differences_of_weighted_averages(contrast, control, labels, weights):
    pairing, weights = pair_arms(contrast, LEVELS, "arm", control), np.array(weights, dtype=float)
    assert list(pairing.labels) == labels
    np.testing.assert_allclose(pairing.size[:, None] * (pairing.treated - pairing.control), weights, atol=1e-9)
    for side in (pairing.treated, pairing.control):
        np.testing.assert_allclose(side.sum(axis=1), 1.0, rtol=1e-9)
        assert (side >= 0.0).all()
    treated, control_draws = pairing.sides(DRAWS)
    np.testing.assert_allclose(treated, np.einsum("ka,cad->ckd", pairing.treated, DRAWS), rtol=1e-12)
    np.testing.assert_allclose(control_draws, np.einsum("ka,cad->ckd", pairing.control, DRAWS), rtol=1e-12)
    seen = pairing.contrast(DRAWS, CONTRASTS["difference"])
    np.testing.assert_allclose(seen, np.einsum("ka,cad->ckd", weights, DRAWS), atol=1e-9)
    ratios = pairing.contrast(DRAWS, CONTRASTS["ratio"])
    np.testing.assert_allclose(ratios, treated / control_draws, rtol=1e-12)
    assert contrast_name(contrast) == ("weights" if isinstance(contrast, dict) else contrast)


def test_controls_that_are_not_above_nothing_count_as_endless_on_the_side_of_the_difference():
    draws = np.array([[[0.0, 0.0, -1.0, 2.0], [0.5, 0.0, -2.0, 3.0]]])
    pairing = pair_arms("control", ("a", "b"), "arm")
    np.testing.assert_array_equal(pairing.contrast(draws, CONTRASTS["ratio"])[0, 0], [np.inf, 1.0, -np.inf, 1.5])
    np.testing.assert_array_equal(pairing.contrast(draws, CONTRASTS["lift"])[0, 0], [np.inf, 0.0, -np.inf, 0.5])
    np.testing.assert_allclose(pairing.contrast(draws, CONTRASTS["difference"])[0, 0], [0.5, 0.0, -1.0, 1.0])


def test_logarithms_of_contrasts_are_differences_of_logarithms():
    logs = Logs(np.log(DRAWS), np.log1p(-DRAWS))
    pairing = pair_arms("control", LEVELS, "arm")
    treated, control = pairing.sides(DRAWS)
    np.testing.assert_allclose(pairing.log_contrast(logs, CONTRASTS["ratio"]), np.log(treated / control), rtol=1e-12)
    odds = np.log(treated / (1.0 - treated) / (control / (1.0 - control)))
    np.testing.assert_allclose(pairing.log_contrast(logs, CONTRASTS["odds_ratio"]), odds, rtol=1e-12)


@pytest.mark.parametrize(
    ("contrast", "control", "match"),
    [
        ("control", "d", r"'arm' has no level 'd' to be the control"),
        ("pairs", "a", r"control='a' belongs to contrast='control'; contrast='pairs' has no control"),
        ({"x": {"a": 1, "b": -1}}, "a", r"contrast='weights' has no control"),
        ("all", None, r"contrast='all': 'control', .*or weights of levels, such as \{'name': \{'c': 1, 'a': -1\}\}"),
        ({}, None, r"contrast=\{\}: no contrast is given"),
        ({"x": 3}, None, r"contrast 'x': a weight for each level is needed, such as \{'a': -1"),
        ({"x": {"d": 1}}, None, r"contrast 'x': 'arm' has no level 'd'"),
        ({"x": {"a": True, "b": -1}}, None, r"the weight of 'a' is True, no finite number"),
        ({"x": {"a": np.inf, "b": -1}}, None, r"the weight of 'a' is inf"),
        ({"x": {"a": "1", "b": -1}}, None, r"the weight of 'a' is '1'"),
        ({"x": {"a": 0, "b": 0.0}}, None, r"all weights are 0, so nothing is compared"),
        ({"x": {"a": 1, "b": -0.999}}, None, r"the weights add up to 0\.001; those of a contrast add up to 0"),
        ({"x": {"a": 1e-6, "b": -0.9e-6}}, None, r"the weights add up to 1e-07"),
    ],
)
def test_contrasts_that_compare_nothing_are_refused(contrast, control, match):
    with pytest.raises(AnswerError, match=match):
        pair_arms(contrast, LEVELS, "arm", control)


def test_contrasts_that_would_not_fit_in_memory_are_refused_with_a_remedy():
    levels = tuple(f"l{place}" for place in range(200_000))
    with pytest.raises(AnswerError, match=r"19,999,900,000 contrasts of 200,000 levels of arm.*\['l0', 'l199999'"):
        pair_arms("pairs", levels, "arm")


def test_odds_are_of_chances_alone_and_scales_have_names():
    poisson, binomial = FAMILIES["poisson"], FAMILIES["binomial"]
    assert read_scale("odds_ratio", binomial, binomial.expected) is CONTRASTS["odds_ratio"]
    assert read_scale("ratio", poisson, poisson.expected) is CONTRASTS["ratio"]
    with pytest.raises(AnswerError, match=r"scale='odds_ratio' needs rates; family poisson has none"):
        read_scale("odds_ratio", poisson, poisson.expected)
    for scale in ("ratios", 3):
        with pytest.raises(AnswerError, match=rf"scale={scale!r}\."):
            read_scale(scale, poisson, poisson.expected)


def test_the_control_is_the_first_level_or_the_one_that_is_asked_for():
    assert (control_place(LEVELS, "arm", None), control_place(LEVELS, "arm", "c")) == (0, 2)
    assert control_of(None, {"arm": ["b", "c", "a"]}, None) == "b"
    assert control_of(None, {"arm": ["b", "c", "a"]}, "a") == "a"
    with pytest.raises(AnswerError, match=r"'arm' has no level 'd' to be the control"):
        control_of(None, {"arm": ["b", "c", "a"]}, "d")
