"""Sentences and forests of contrasts other than with a control, of interactions and of slopes."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import hiermod as hm
from hiermod.show.sentences import effect_sentences


@pytest.fixture(scope="module")
def fit():
    rows = pd.DataFrame(
        {"arm": list("ABC") * 2, "x": [0.0, 1.0, 2.0, 3.0, 4.0, 7.0], "k": list("uuuvvv"), "s": 2, "n": [5, 6, 7] * 2}
    )  # fmt: skip
    rng = np.random.default_rng(1)
    draws = {"Intercept": rng.normal(0.0, 0.1, (2, 50)), "x": rng.normal(0.2, 0.1, (2, 50))}
    shapes = {"arm": (2, 50, 2), "k": (2, 50, 1)}
    several = {name: (("chain", "draw", f"{name}_dim"), rng.normal(0.5, 0.2, shape)) for name, shape in shapes.items()}
    single = {name: (("chain", "draw"), values) for name, values in draws.items()}
    return hm.model("s/n ~ arm + x + k", rows).with_draws(xr.Dataset({**single, **several}))


def sentences(fit, **arguments):
    return effect_sentences(fit.effect("arm", **arguments))


def test_sentences_name_both_sides(fit):
    assert "arm C has a " in sentences(fit, contrast="sequential")[1]
    assert " than arm B, by " in sentences(fit, contrast="sequential")[1]
    assert " than the mean of all arms, by " in sentences(fit, contrast="mean")[0]
    weights = {"C vs others": {"A": -0.5, "B": -0.5, "C": 1}}
    assert "that the contrast C vs others of arm is above zero, by " in sentences(fit, contrast=weights)[0]
    assert "of arm is above one, " in sentences(fit, contrast=weights, scale="ratio")[0]


def right_title(ax):
    return [text.get_text() for text in ax.texts if text.get_text().startswith("P(")]


@pytest.mark.parametrize("contrast", ["pairs", "mean", {"odd": {"A": 1, "C": -1}}])
def test_forests_of_other_contrasts(fit, contrast):
    ax = fit.plot.effect("arm", contrast=contrast)
    assert right_title(ax) == ["P(beats)"]
    assert right_title(fit.plot.effect("arm")) == ["P(beats A)"]


def test_forests_of_interactions_and_slopes(fit):
    ax = fit.interaction("arm", "k").plot()
    assert "difference in the effects on" in ax.get_xlabel()
    assert right_title(ax) == ["P(larger)"]
    slopes = fit.slopes("x", by="k").plot()
    assert "per unit of x" in slopes.get_xlabel()
    assert slopes.get_ylabel() == "k"
    assert fit.slopes("x").plot().get_ylabel() == ""
    assert "logit scale" in fit.slopes("x", scale="link").plot().get_xlabel()
