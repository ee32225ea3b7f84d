"""Ordered and unordered categories against R: ordinal's clmm under wide priors, brms with equal priors."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hiermod as hm

REFERENCE = Path(__file__).parents[1] / "reference"
INHALER = pd.read_csv(REFERENCE / "inhaler.csv")
TEXT = "rating ~ treat + period + carry + (1 | subject)"


def test_a_cumulative_logit_under_wide_priors_is_clmm_s():
    """Estimates of maximum likelihood lie near the middle of a posterior under wide priors, in units of its spread.

    Thresholds of rare categories have a long tail, which moves their mean.
    """
    wide = {"Intercept": "Normal(0, 20)", "slope": "Normal(0, 20)", "sd": "HalfNormal(20)"}
    fit = hm.fit(TEXT, INHALER, "cumulative", priors=wide, seed=4, progress=False)
    table, expected = fit.fixef(), pd.read_csv(REFERENCE / "ordinal_clmm.csv").set_index("term")
    names = {"Intercept[1]": "1|2", "Intercept[2]": "2|3", "Intercept[3]": "3|4", "treat": "treat", "period": "period",
             "carry": "carry"}  # fmt: skip
    for own, other in names.items():
        estimate, error = expected.loc[other, ["estimate", "se"]]
        assert table.loc[own, "estimate"] == pytest.approx(estimate, abs=0.5 * error), own
        assert table.loc[own, "sd"] == pytest.approx(error, rel=0.15), own
    spread = fit.posterior["1|subject_sigma"].values.ravel()
    assert abs(expected.loc["sd", "estimate"] - np.median(spread)) < 0.5 * spread.std()


def rows_of(fit):
    """Draws by brms's names, shape ``(chain, draw)``."""
    posterior, found = fit.posterior, {}
    for place in range(posterior.sizes.get("Intercept_dim", 0)):
        found[f"b_Intercept[{place + 1}]"] = posterior["Intercept"].values[:, :, place]
    for name in ("treat", "period", "carry"):
        if name in posterior:
            found[f"b_{name}"] = posterior[name].values
    if "1|subject_sigma" in posterior:
        found["sd_subject__Intercept"] = posterior["1|subject_sigma"].values
    return found


def hold(draws, expected):
    """Means and standard deviations within four Monte Carlo standard errors of both."""
    import arviz_stats as azs

    for name, row in expected.iterrows():
        own = draws[name]
        for figure, error, method in ((own.mean(), row["mcse_mean"], "mean"), (own.std(), row["mcse_sd"], "sd")):
            ours = float(azs.mcse(own, method=method))
            assert abs(figure - row[method]) < 4.0 * np.hypot(ours, error), (name, method)


@pytest.mark.slow
@pytest.mark.skipif(not (REFERENCE / "ordinal_brms.csv").exists(), reason="brms has not been asked yet")
@pytest.mark.parametrize("family", ["cumulative(logit)", "sratio(probit)", "cratio(cloglog)", "acat(logit)"])
def test_ordinal_posteriors_are_brms_s(family):
    table = pd.read_csv(REFERENCE / "ordinal_brms.csv")
    expected = table[table["family"] == family].set_index("variable")
    priors = {"Intercept": "StudentT(3, 0, 2.5)", "slope": "Normal(0, 1)", "sd": "HalfNormal(1)"}
    fit = hm.fit(TEXT, INHALER, family, priors=priors, draws=4000, seed=3, progress=False)
    hold(rows_of(fit), expected)


@pytest.mark.slow
@pytest.mark.skipif(not (REFERENCE / "categorical_brms.csv").exists(), reason="brms has not been asked yet")
def test_a_categorical_posterior_is_brms_s():
    expected = pd.read_csv(REFERENCE / "categorical_brms.csv").set_index("variable")
    priors = {"cor": "LKJ(2)"}
    for name in ("mucar", "muwalk"):
        priors |= {f"{name}: Intercept": "StudentT(3, 0, 2.5)", f"{name}: slope": "Normal(0, 1)",
                   f"{name}: sd": "HalfNormal(1)"}  # fmt: skip
    fit = hm.fit("choice ~ arm + x + (1 | p | g)", pd.read_csv(REFERENCE / "choices.csv"), "categorical",
                 priors=priors, draws=4000, seed=3, progress=False)  # fmt: skip
    posterior, draws = fit.posterior, {}
    for name in ("mucar", "muwalk"):
        draws[f"b_{name}_Intercept"] = posterior[f"{name}_Intercept"].values
        draws[f"b_{name}_armB"] = posterior[f"{name}_arm"].values.reshape(posterior[f"{name}_x"].shape)
        draws[f"b_{name}_x"] = posterior[f"{name}_x"].values
        draws[f"sd_g__{name}_Intercept"] = posterior[f"{name}_1|g_sigma"].values
    correlation = next(name for name in posterior.data_vars if name.endswith("_cor"))
    draws["cor_g__mucar_Intercept__muwalk_Intercept"] = posterior[correlation].values[:, :, 0]
    hold(draws, expected)
