"""Ordered and unordered categories against R: ordinal's clmm under wide priors, brms with equal priors."""

import numpy as np
import pandas as pd
import pytest
from brms_tools import assert_same_moments, stored

import hiermod as hm
from tests.truth import REFERENCE

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


def hold(draws, theirs):
    """Every variable that brms has, and no other."""
    assert set(draws) == set(theirs.index)
    for name, row in theirs.iterrows():
        assert_same_moments(draws[name], row, name)


ORDERED = {"cumulative": "logit", "sratio": "probit", "cratio": "cloglog", "acat": "logit"}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "link"), ORDERED.items())
def test_ordinal_posteriors_are_brms_s(name, link):
    priors = {"Intercept": "StudentT(3, 0, 2.5)", "slope": "Normal(0, 1)", "sd": "HalfNormal(1)"}
    fit = hm.fit(TEXT, INHALER, f"{name}({link})", priors=priors, draws=4000, seed=3, progress=False)
    hold(rows_of(fit), stored("ordinal", name))


UNORDERED = {
    "categorical": ("choice ~ arm + x + (1 | p | g)", "choices.csv"),
    "multinomial": ("cbind(bus, car, walk) ~ arm + x + (1 | p | g)", "trips.csv"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text", "data"), [(name, *own) for name, own in UNORDERED.items()])
def test_posteriors_of_unordered_categories_are_brms_s(name, text, data):
    priors = {"cor": "LKJ(2)"}
    for own in ("mucar", "muwalk"):
        priors |= {f"{own}: Intercept": "StudentT(3, 0, 2.5)", f"{own}: slope": "Normal(0, 1)",
                   f"{own}: sd": "HalfNormal(1)"}  # fmt: skip
    fit = hm.fit(text, pd.read_csv(REFERENCE / data), "categorical", priors=priors, draws=4000, seed=3, progress=False)
    posterior, draws = fit.posterior, {}
    for own in ("mucar", "muwalk"):
        draws |= {f"b_{own}_{term}": posterior[f"{own}_{term}"].values for term in ("Intercept", "arm", "x")}
        draws[f"sd_g__{own}_Intercept"] = posterior[f"{own}_1|g_sigma"].values
    correlation = next(name for name in posterior.data_vars if name.endswith("_cor"))
    draws["cor_g__mucar_Intercept__muwalk_Intercept"] = posterior[correlation].values[:, :, 0]
    hold(draws, stored("ordinal", name))
