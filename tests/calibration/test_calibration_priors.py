"""Numbers drawn from priors against closed forms, and against what hiermod says its priors are."""

import re

import numpy as np
import pytest
from scipy import special, stats

import hiermod as hm
from benchmarks.calibration.priors import SAMPLERS, draw, draw_correlations
from benchmarks.calibration.shapes import SHAPES
from benchmarks.calibration.slopes import SLOPES

EXACT = {
    "Beta(2, 8)": stats.beta(2.0, 8.0),
    "Normal(-1, 2)": stats.norm(-1, 2),
    "StudentT(4, 1, 0.5)": stats.t(4, 1, 0.5),
    "HalfNormal(0.7)": stats.halfnorm(scale=0.7),
    "Exponential(2)": stats.expon(scale=1 / 2),
    "Gamma(4, 0.5)": stats.gamma(4, scale=2),
    "InverseGamma(3, 2)": stats.invgamma(3, scale=2),
    "LogNormal(0.7, 0.5)": stats.lognorm(0.5, scale=np.exp(0.7)),
}
SIZE = 20_000


@pytest.mark.parametrize("prior", EXACT)
def test_numbers_have_the_distribution_of_their_prior(prior):
    sample = draw(prior, np.random.default_rng(1), SIZE)
    assert stats.kstest(sample, EXACT[prior].cdf).pvalue > 0.001


def test_every_distribution_is_compared_with_a_closed_form():
    assert {prior.partition("(")[0] for prior in EXACT} == set(SAMPLERS)


@pytest.mark.parametrize(("size", "eta"), [(2, 1), (2, 2), (3, 2), (4, 1.5)])
def test_correlations_have_the_marginals_and_the_determinant_of_lkj(size, eta):
    rng = np.random.default_rng(2)
    matrices = np.array([draw_correlations(f"LKJ({eta})", rng, size) for _ in range(5000)])
    np.testing.assert_allclose(matrices, np.swapaxes(matrices, 1, 2))
    assert (np.linalg.eigvalsh(matrices) > 0).all()
    marginal = stats.beta(eta + (size - 2) / 2, eta + (size - 2) / 2, loc=-1, scale=2)
    for row, column in zip(*np.tril_indices(size, -1), strict=True):
        assert stats.kstest(matrices[:, row, column], marginal.cdf).pvalue > 0.001
    # the density is det^(eta - 1): the mean of a determinant is a ratio of its constants (LKJ 2009, equation 16)
    found = np.linalg.det(matrices)
    assert abs(found.mean() - np.exp(log_mass(size, eta + 1) - log_mass(size, eta))) < 4 * found.std() / np.sqrt(5000)


def log_mass(size, eta):
    """The logarithm of the integral of det^(eta - 1) over correlation matrices."""
    k = np.arange(1, size)
    shape = eta + (size - k - 1) / 2
    constants = (2 * eta - 2 + size - k) * (size - k) * np.log(2)
    return float((constants + (size - k) * special.betaln(shape, shape)).sum())


@pytest.mark.parametrize("name", SHAPES)
def test_every_parameter_has_a_prior_in_numbers_which_hiermod_takes_as_it_is(name):
    shape, rng = SHAPES[name], np.random.default_rng(3)
    data = shape.model.simulate_response(shape.model.draw_parameters(rng), rng)
    model = hm.model(shape.formula, data, shape.family, priors=shape.model.priors, pooling=shape.pooling)
    summary = model.prior_summary()
    if shape.pooling != "normal":  # what the rates are draws from is no prior, and the mean has a name of its own
        summary = summary[:-1].replace({"parameter": {"rate_mean": "rate"}})
    if "slope" in shape.model.priors:  # what slopes share has its numbers from their prior
        summary = summary[~summary["parameter"].str.startswith("slope_")].replace(dict.fromkeys(SLOPES, "slope"))
    parameters = [re.sub(r"\[\w+\]", "", name) for name in summary["parameter"]]  # levels share their term's prior
    assert dict(zip(parameters, summary["prior"], strict=True)) == shape.model.priors
