"""Priors of slopes per unit of their column, and per standard deviation of it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hiermod as hm
from hiermod.priors.reading import read_prior

DATA = pd.DataFrame({"x": [0.0, 10.0, 20.0, 30.0] * 3, "z": [0, 1] * 6, "k": list("abc") * 4, "g": list("uvw") * 4,
                     "y": np.arange(12.0) % 5})  # fmt: skip
SD = float(np.std(DATA["x"]))


def summary(priors=None):
    return hm.model("y ~ x + z + k + (1 + x | g)", DATA, priors=priors).prior_summary().set_index("parameter")


def test_defaults_are_alike_per_sd_and_yours_per_unit():
    scale = 2.5 * float(np.std(DATA["y"]))
    default = summary()
    assert default.loc["x", "prior"] == f"StudentT(3, 0, {scale / SD:.4g})"
    assert default.loc["x", "per_sd"] == f"StudentT(3, 0, {scale:.4g})"
    assert default.loc["sd(x|g)", "per_sd"] == f"HalfNormal({scale / 2.5:.4g})"
    mine = summary({"x": "Normal(0.5, 0.2)", "sd(x|g)": "Exponential(2)"})
    assert mine.loc["x", ["prior", "per_sd"]].to_list() == [
        "Normal(0.5, 0.2)",
        f"Normal({0.5 * SD:.4g}, {0.2 * SD:.4g})",
    ]
    assert mine.loc["sd(x|g)", "per_sd"] == f"Exponential({2 / SD:.4g})"


def test_columns_of_0_and_1_count_by_their_unit_and_other_parameters_by_none():
    table = summary()
    assert table.loc["z", "per_sd"] == table.loc["z", "prior"]
    assert table.loc[["Intercept", "sd(1|g)", "cor(g)", "sigma"], "per_sd"].to_list() == [""] * 4


PRIORS = (
    "Normal(0.5, 2)", "StudentT(4, -1, 2)", "Cauchy(1, 2)", "Laplace(0, 2)", "Uniform(-1, 3)", "HalfNormal(2)",
    "HalfCauchy(3)", "Exponential(0.5)", "Gamma(2, 3)", "LogNormal(0.3, 0.5)", "Normal(1, 2, lower=0, upper=4)",
)  # fmt: skip
GAMMAS = {
    "gamma": True, "Gamma": True, "Gamma()": True, "gamma(log)": False, "Gamma(link='log')": False, "lognormal": False,
}  # fmt: skip


@pytest.mark.parametrize("text", PRIORS)
@given(factor=st.floats(0.01, 100.0))
def test_a_scaled_prior_has_scaled_quantiles(text, factor):
    prior = read_prior("x", text)
    p = np.array([0.05, 0.3, 0.5, 0.9])
    np.testing.assert_allclose(prior.scaled(factor).quantile(p), factor * prior.quantile(p), rtol=1e-8, atol=1e-12)


def test_an_inverse_gamma_s_scale_is_its_last_number():
    p = np.array([0.05, 0.5, 0.9])
    prior = read_prior("x", "InverseGamma(2, 3)")
    np.testing.assert_allclose(prior.scaled(4.0).quantile(p), 4.0 * prior.quantile(p), rtol=1e-8)


@pytest.mark.parametrize(("family", "told"), list(GAMMAS.items()))
def test_a_gamma_without_a_link_says_that_others_have_another_one(family, told):
    model = hm.model("y ~ x", DATA.assign(y=DATA["y"] + 1.0), family)
    said = [notice for notice in model.notices if "link here" in notice]
    assert len(said) == told
    if told:
        assert said[0] == (
            "the family gamma has the log link here; R's Gamma() and Bambi's gamma have the inverse one, whose "
            "coefficients are others (gamma(log) says that this is meant)"
        )
