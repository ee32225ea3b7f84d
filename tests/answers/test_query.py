"""What arguments mean for a model: read once, before anything is computed."""

import numpy as np
import pandas as pd
import pytest
from answer_tools import draws_of, with_made_up_draws
from scipy import special

import hiermod as hm
from hiermod.answers.averaging.query import (
    Arguments,
    read_effect,
    read_interaction,
    read_prediction,
    read_rates,
    read_slope,
)
from hiermod.answers.group_effects import Reading
from hiermod.answers.reader import reader
from hiermod.errors import AnswerError

ROWS = pd.DataFrame(
    {
        "site": list("aabbcc") * 4,
        "doctor": list("uvwuvw") * 4,
        "arm": ["A", "B", "C", "C", "B", "A"] * 4,
        "x": np.linspace(-1.0, 1.0, 24).round(2),
        "s": [1, 2, 3] * 8,
        "n": 5,
    }
)
OBSERVED = {"site": Reading.OBSERVED, "doctor": Reading.OBSERVED}


@pytest.fixture(scope="module")
def fit():
    return with_made_up_draws(hm.model("s/n ~ arm + x + (1 + x | site) + (1 | doctor)", ROWS, compress=False))


@pytest.fixture(scope="module")
def spec(fit):
    return fit._posterior.spec


@pytest.fixture(scope="module")
def pooled_spec():
    return hm.model("s/n ~ (1 | site)", ROWS, pooling="beta")._defined.spec


def test_variables_are_set_and_the_columns_of_cells_select(spec):
    query = read_rates(spec, Arguments("arm", by="site", at={"x": 0.5}))
    assert (query.cells, query.question.by) == (("site",), ("site", "arm"))
    assert query.settings == {"arm": ("A", "B", "C")}
    assert (query.selected, query.held, query.lines, query.selecting) == ({}, {"x": 0.5}, {}, ("site",))
    assert query.groups == OBSERVED
    assert len(query.rows.frame) == len(ROWS)
    assert query.rows.weight.sum() == 5 * len(ROWS)
    assert query.question.scale.null is None


def test_values_are_set_and_where_selects(spec):
    query = read_rates(spec, Arguments({"arm": None}, where={"site": ["a", "b"]}, at={"x": [0, 1]}))
    assert (query.settings, query.lines) == ({"arm": ("A", "B", "C")}, {"x": (0, 1)})
    assert (query.cells, query.question.by) == (("x",), ("x", "arm"))
    assert query.selected == {"site": ("a", "b")}
    assert set(query.rows.frame["site"]) == {"a", "b"}


def test_a_grid_stands_for_a_number_of_many_values():
    frame = pd.DataFrame({"y": np.sin(np.arange(90)), "x": np.arange(90) / 10})
    query = read_rates(hm.model("y ~ x", frame, compress=False)._defined.spec, Arguments("x"))
    assert query.settings["x"] == (*(step / 2 for step in range(18)), 8.9)
    assert query.notices == ("x has 90 values: 19 from 0 to 8.9 stand for them",)


@pytest.mark.parametrize("groups", ["observed", "typical", "new", "population"])
def test_groups_are_read_for_each_factor(spec, pooled_spec, groups):
    query = read_rates(spec, Arguments(groups=groups))
    assert query.groups == {"site": Reading(groups), "doctor": Reading(groups)}
    assert query.question.groups == groups
    assert read_rates(pooled_spec, Arguments(groups=groups)).groups == {"site": Reading(groups)}


def test_new_groups_that_data_name_are_known_or_new(spec):
    rows = ROWS.head(3).assign(site=["a", "q", "q"])
    assert set(read_rates(spec, Arguments(data=rows, groups="new")).groups.values()) == {Reading.KNOWN_OR_NEW}
    unnamed = rows.drop(columns=["site", "doctor"])
    assert set(read_rates(spec, Arguments(data=unnamed, groups="new")).groups.values()) == {Reading.NEW}


def test_an_effect_has_arms_a_control_and_a_pairing(spec):
    query = read_effect(
        spec, Arguments("arm", by="site", control="B", scale="ratio", goal="min", rope=(0.9, 1.1), threshold=1)
    )
    assert query.settings == {"arm": ("A", "B", "C")} == {"arm": query.levels}
    assert (query.control, query.pairing.labels) == (1, ("A vs B", "C vs B"))
    question = query.question
    assert (question.kind, question.variable, question.control, question.contrast) == ("effect", "arm", "B", "control")
    assert (question.sign, question.rope, question.threshold, question.median) == (-1, (0.9, 1.1), 1.0, True)
    assert (question.scale.name, question.scale.null) == ("ratio", 1.0)
    assert question.measure.name == "s rate"


def test_other_contrasts_have_no_control(spec):
    question = read_effect(spec, Arguments("arm", contrast="pairs", scale="link")).question
    assert (question.contrast, question.control) == ("pairs", None)
    assert question.scale.linear
    weights = {"mean of others": {"A": -0.5, "B": -0.5, "C": 1}}
    query = read_effect(spec, Arguments("arm", contrast=weights))
    assert (query.question.contrast, query.pairing.labels) == ("weights", ("mean of others",))


def test_an_interaction_has_cells_of_the_column_across(spec):
    query = read_interaction(spec, Arguments("arm", by="site", across={"x": [0, 1]}))
    assert (query.question.by, query.question.across, query.cells) == (("site",), "x", ("site", "x"))
    assert (query.settings, query.lines) == ({"arm": ("A", "B", "C")}, {"x": (0, 1)})


def test_a_slope_leaves_its_variable_where_it_is(spec):
    query = read_slope(spec, Arguments("x", by="arm", scale="link"))
    assert (query.question.variable, query.question.by, query.settings) == ("x", ("arm",), {})
    assert query.question.scale.linear
    assert read_slope(spec, Arguments("x", scale="response", at={"x": 1})).held == {"x": 1}


def test_a_prediction_is_of_rows(spec, pooled_spec):
    query = read_prediction(spec, Arguments(data=ROWS.head(2), kind="link"))
    assert len(query.rows.frame) == 2
    assert query.question.scale.linear
    assert read_prediction(spec, Arguments(kind="response")).question.scale.drawn
    assert len(read_prediction(pooled_spec, Arguments()).rows.frame) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": "odds"}, "scale='odds'"),
        ({"goal": "most"}, "goal='most'"),
        ({"groups": "mine"}, "groups='mine'"),
        ({"control": "D"}, "'arm' has no level 'D'"),
        ({"contrast": "all"}, "contrast='all'"),
        ({"by": "arm"}, "it cannot stand in by="),
        ({"rope": 1}, "rope=1"),
        ({"prob": 1}, "prob=1"),
    ],
)
def test_what_means_nothing_is_refused_at_the_door(spec, arguments, message):
    with pytest.raises(AnswerError, match=message):
        read_effect(spec, Arguments("arm", **arguments))


def test_factors_can_be_read_each_in_its_own_way(fit, spec):
    """One observed and one integrated: a normal integral of sites for each row of a known doctor."""
    rows = spec.cells.frame.head(4)
    draws = {name: draws_of(fit, name)[:, None] for name in ("Intercept", "x", "1|site_sigma", "x|site_sigma")}
    correlation = draws_of(fit, "1+x|site_cor")
    x, arm = rows["x"].to_numpy(), np.array([[0, 0], [1, 0], [0, 1], [0, 1]])
    linear = draws["Intercept"] + draws["x"] * x + draws_of(fit, "arm") @ arm.T
    linear += draws_of(fit, "1|doctor")[:, [0, 1, 2, 0]]
    first, second = draws["1|site_sigma"], draws["x|site_sigma"] * x
    spread = np.sqrt(first**2 + second**2 + 2.0 * correlation * first * second)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    mean = special.expit(linear[..., None] + spread[..., None] * nodes) @ (weights / weights.sum())
    groups = {"site": Reading.POPULATION, "doctor": Reading.OBSERVED}
    np.testing.assert_allclose(reader(fit._posterior, groups).mean(rows), mean.T, rtol=1e-6)
    groups = {"site": Reading.TYPICAL, "doctor": Reading.OBSERVED}
    np.testing.assert_allclose(reader(fit._posterior, groups).at(rows).mu, linear.T, rtol=1e-12)
