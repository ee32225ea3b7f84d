"""Several fits of the same groups in one picture, read back as numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from made_up_fits import sleepstudy
from matplotlib.patches import PathPatch, Rectangle
from reading_axes import dashed
from scipy import stats

import hiermod as hm
from hiermod.errors import AnswerError, ModelError

FORMULA = "successes/trials ~ (1 | variant)"


@pytest.fixture(scope="module")
def scenarios():
    names = {"100 trials": "variants", "10 trials": "variants2"}
    return {
        name: hm.fit(FORMULA, hm.example(data), pooling="beta", seed=1, progress=False) for name, data in names.items()
    }


def boxes_of(ax):
    """Centre, quartiles of each box."""
    corners = [patch.get_path().vertices for patch in ax.patches if isinstance(patch, PathPatch)]
    return np.array([(own[:4, 0].mean(), own[:, 1].min(), own[:, 1].max()) for own in corners])


def bars_of(ax):
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def test_boxes_are_the_quartiles_of_every_rate_in_both_scenarios(scenarios):
    boxes, _ = hm.plot_scenarios(scenarios)
    drawn = boxes_of(boxes)
    assert len(drawn) == 8
    for place, fit in enumerate(scenarios.values()):
        rates = fit.posterior["rate|variant"].to_numpy().reshape(-1, 4)
        expected = np.quantile(rates, [0.25, 0.75], axis=0).T
        np.testing.assert_allclose(drawn[4 * place : 4 * place + 4, 1:], expected)
    assert (drawn[4:, 0] - drawn[:4, 0] > 0).all()  # side by side
    assert [label.get_text() for label in boxes.get_xticklabels()] == list("ABCD")
    assert "whiskers 95 %" in boxes.get_title(loc="left")
    plt.close("all")


def test_the_histogram_is_of_new_data_of_the_group_that_differs(scenarios):
    _, histogram = hm.plot_scenarios(scenarios)
    assert histogram.get_title(loc="left").startswith("What A is expected to show next")
    grand = [data["successes"].sum() / data["trials"].sum() for data in map(hm.example, ("variants", "variants2"))]
    np.testing.assert_allclose(dashed(histogram), grand)
    bars = bars_of(histogram)
    np.testing.assert_allclose(sum(bar.get_width() * bar.get_height() for bar in bars), 2.0)
    wide = [bar for bar in bars if bar.get_width() > 0.05]  # of 10 trials, a bar for each number of successes
    rates = scenarios["10 trials"].posterior["rate|variant"].to_numpy()[..., 0].ravel()
    for bar in wide:
        successes = round(10 * (bar.get_x() + bar.get_width() / 2))
        expected = stats.binom(10, rates).pmf(successes).mean()
        assert abs(bar.get_height() * 0.1 - expected) < 5 * np.sqrt(expected / 4000) + 1e-3
    plt.close("all")


def test_a_level_and_axes_can_be_chosen(scenarios):
    _, axes = plt.subplots(2)
    found = hm.plot_scenarios(scenarios, level="C", axes=axes)
    assert list(found) == list(axes)
    assert "What C is" in axes[1].get_title(loc="left")
    with pytest.raises(AnswerError, match="There is no group 'E'"):
        hm.plot_scenarios(scenarios, level="E")
    plt.close("all")


def test_groups_of_one_scenario_alone_are_shown_there(scenarios):
    fewer = hm.fit(FORMULA, hm.example("variants").iloc[1:], pooling="beta", seed=1, progress=False)
    boxes, _ = hm.plot_scenarios({**scenarios, "three": fewer}, level="B")
    assert len(boxes_of(boxes)) == 11
    plt.close("all")


def test_rates_of_events_are_by_exposure():
    sites = pd.DataFrame({"site": list("abc"), "y": [3, 4, 10], "e": [1.0, 2.0, 3.0]})
    fits = {
        name: hm.fit("y ~ offset(log(e)) + (1 | site)", data, pooling="gamma", seed=1, progress=False)
        for name, data in (("as it was", sites), ("twice", sites.assign(e=2 * sites["e"])))
    }
    _, histogram = hm.plot_scenarios(fits)
    np.testing.assert_allclose(dashed(histogram), [17 / 6, 17 / 12])
    plt.close("all")


def test_what_has_no_rates_of_groups_is_refused(scenarios):
    with pytest.raises(ModelError, match="takes a dict of fits by name"):
        hm.plot_scenarios(list(scenarios.values()))
    with pytest.raises(ModelError, match="'a' is a str; a fit is needed"):
        hm.plot_scenarios({"a": FORMULA})
    with pytest.raises(AnswerError, match=r"rates of successes or of events.*'sleep' is of the family gaussian"):
        hm.plot_scenarios({"sleep": sleepstudy()})
    rows = pd.concat([hm.example("variants2")] * 3)
    spread = hm.fit(FORMULA, rows, "beta_binomial", draws=50, chains=2, seed=1, progress=False, cores=1)
    with pytest.raises(AnswerError, match="binomial or Poisson data of them, and 'a' is of the family beta_binomial"):
        hm.plot_scenarios({"a": spread})  # new data of it vary more than binomial ones
    many = pd.DataFrame({"g": np.arange(50), "s": np.arange(50) % 9, "n": 10})
    with pytest.raises(AnswerError, match=r"50 groups, and boxes of at most 40.*fit\.plot\.shrinkage"):
        hm.plot_scenarios({"many": hm.fit("s/n ~ (1 | g)", many, pooling="beta", seed=1, progress=False)})
