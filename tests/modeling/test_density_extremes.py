"""Densities and gradients stay finite, and right, where rates round to 0 or 1."""

import math

import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
import pytest
from modeling_tools import QUICK, model_of
from scipy import special, stats

from hiermod.families.links import LINKS
from hiermod.families.names import RATE_LINKS
from hiermod.modeling.pymc.likelihood import PYTENSOR

ETA = np.array([-800, -700, -100, -40, -21, -20, -19, -5, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 3, 5, 20, 40, 100, 800.0])


def exact_log_rates(link, eta):
    """Logarithms of both rates, from scipy's log densities."""
    match link:
        case "logit":
            return stats.logistic.logcdf(eta), stats.logistic.logsf(eta)
        case "probit":
            return stats.norm.logcdf(eta), stats.norm.logsf(eta)
        case "cloglog":
            with np.errstate(all="ignore"):
                hazard = np.exp(eta)
                return np.where(eta < -36, eta, np.log(-np.expm1(-hazard))), -hazard


@pytest.fixture(scope="module", params=RATE_LINKS)
def link(request):
    return request.param


@pytest.fixture(scope="module")
def log_rates(link):
    """Both log rates and their gradients on ETA."""
    eta = pt.dvector()
    rates = LINKS[link].log_rates(PYTENSOR, eta)
    gradients = [pt.grad(rate.sum(), eta) for rate in rates]
    return [np.asarray(values) for values in pytensor.function([eta], [*rates, *gradients], mode=QUICK)(ETA)]


def test_log_rates_are_exact(link, log_rates):
    success, failure = exact_log_rates(link, ETA)
    seen = np.abs(failure) < 1e300  # a hazard may overflow
    np.testing.assert_allclose(log_rates[0], success, rtol=1e-7, atol=1e-15)
    np.testing.assert_allclose(log_rates[0][ETA < 1], success[ETA < 1], rtol=1e-13)
    np.testing.assert_allclose(log_rates[1][seen], failure[seen], rtol=1e-12, atol=1e-300)
    assert log_rates[1][-1] < -700


def test_gradients_are_finite_and_are_those_of_the_rates(link, log_rates):
    assert all(np.isfinite(values).all() for values in log_rates)
    assert (log_rates[2] >= 0).all()
    assert (log_rates[3] <= 0).all()
    middle, step = np.abs(ETA) <= 5, 1e-5
    for place in (0, 1):
        up, down = (exact_log_rates(link, ETA[middle] + move)[place] for move in (step, -step))
        np.testing.assert_allclose(log_rates[2 + place][middle], (up - down) / (2 * step), rtol=1e-6, atol=1e-9)


def test_links_agree_with_scipy(link):
    eta = np.linspace(-6, 3, 50)
    rates = {"logit": special.expit(eta), "probit": stats.norm.cdf(eta), "cloglog": stats.expon.cdf(np.exp(eta))}[link]
    np.testing.assert_allclose(LINKS[link].inverse(eta), rates, rtol=1e-12)
    np.testing.assert_allclose(LINKS[link].forward(rates), eta, rtol=1e-6, atol=1e-9)


def test_the_density_of_a_model_at_800():
    frame = pd.DataFrame({"s": [3, 0, 4, 1], "n": [5, 2, 4, 6], "i": [0, 0, 1, 1]})
    model = model_of("s/n ~ i", frame, None, {"Intercept": "Normal(0, 400)", "slope": "Normal(0, 400)"})
    density, gradient = model.compile_logp(mode=QUICK), model.compile_dlogp(mode=QUICK)
    for intercept, slope in ((800.0, -1600.0), (-800.0, 1600.0), (800.0, 0.0), (-800.0, 0.0)):
        point = {"Intercept": np.array(intercept), "i": np.array(slope)}
        eta = intercept + slope * frame["i"]
        success, failure = exact_log_rates("logit", eta.to_numpy())
        expected = (frame["s"] * success + (frame["n"] - frame["s"]) * failure).sum()
        expected += stats.norm(0, 400).logpdf([intercept, slope]).sum()
        assert density(point) == pytest.approx(expected, rel=1e-9)
        residual = frame["s"] - frame["n"] * special.expit(eta)
        slopes = [residual.sum() - intercept / 400**2, (residual * frame["i"]).sum() - slope / 400**2]
        np.testing.assert_allclose(gradient(point), slopes, rtol=1e-9, atol=1e-12)


def test_counts_have_a_density_where_their_rate_rounds_to_zero():
    frame = pd.DataFrame({"y": [0, 1, 2, 5], "i": [0, 1, 0, 1]})
    model = model_of("y ~ i", frame, "poisson")
    logp = model.compile_logp(vars=model.observed_RVs, mode="FAST_COMPILE")
    totals, exposure = [2, 6], 2
    expected = sum(y * (-800.0 + math.log(exposure)) - math.lgamma(y + 1) for y in totals)
    assert logp({"Intercept": np.array(-800.0), "i": np.array(0.0)}) == pytest.approx(expected, rel=1e-12)
