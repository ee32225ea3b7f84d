"""What made data with a part of their own for zeros lies in intervals as often as these say, family by family."""

import numpy as np
import pytest
from scipy import special, stats

from tests.calibration.recovery import ALPHA, PHI, SIGMA, Case, Unknown, assert_intervals_hold, grouped, predictor

TRIALS = 9


def _poisson(rng, frame, values, least):
    mean = np.exp(predictor(frame, values))
    return stats.poisson.ppf(least(rng, stats.poisson.pmf(0, mean)), mean)


def _negbinomial(rng, frame, values, least):
    alpha, mean = values["alpha"], np.exp(predictor(frame, values))
    share = alpha / (alpha + mean)
    return stats.nbinom.ppf(least(rng, share**alpha), alpha, share)


def _binomial(rng, frame, values, _):
    return rng.binomial(TRIALS, special.expit(predictor(frame, values)))


def _beta_binomial(rng, frame, values, _):
    rate, kappa = special.expit(predictor(frame, values)), values["kappa"]
    return rng.binomial(TRIALS, rng.beta(rate * kappa, (1.0 - rate) * kappa))


def _gamma(rng, frame, values, _):
    return np.exp(predictor(frame, values)) * rng.gamma(values["alpha"], 1.0 / values["alpha"], len(frame))


def _lognormal(rng, frame, values, _):
    return np.exp(rng.normal(predictor(frame, values), values["sigma"]))


def _above(rng, zero):
    """Uniform above the chance of 0: by quantiles, counts that are not 0."""
    return 1.0 - (1.0 - zero) * (1.0 - rng.random(zero.shape))


def _any(rng, zero):
    return rng.random(zero.shape)


def beside_zeros(share, draw):
    """Responses of `draw`, of which a share is 0, by its own predictor where it has one."""

    def respond(rng, frame, values):
        of_x = f"{share}_x" in values
        eta = values[f"{share}_Intercept"] + values[f"{share}_x"] * frame["x"].to_numpy() if of_x else None
        chance = special.expit(eta) if of_x else values[share]
        y = draw(rng, frame, values, _above if share == "hu" else _any)
        return {"y": np.where(rng.random(len(frame)) < chance, 0, y), "n": TRIALS}

    return respond


def case(family, draw, intercept, scale, varies, **own):
    """A model whose share of zeros varies by x, or is one."""
    share = "zi" if family.startswith("zero") else "hu"
    of_share = {
        f"{share}_Intercept": Unknown("Normal(-0.8, 0.5)", stats.norm(-0.8, 0.5)),
        f"{share}_x": Unknown("Normal(0, 0.7)", stats.norm(0.0, 0.7)),
    } if varies else {share: Unknown("Beta(3, 6)", stats.beta(3, 6))}  # fmt: skip
    text = f"{'y/n' if 'binomial' in family and 'neg' not in family else 'y'} ~ x + (1 | g)"
    unknowns = grouped(intercept, scale, **own) | of_share
    return Case(f"{text}; {share} ~ x" if varies else text, family, unknowns, beside_zeros(share, draw))


CASES = {
    each.family: each
    for each in (
        case("zero_inflated_poisson", _poisson, 1.0, 0.5, True),
        case("zero_inflated_negbinomial", _negbinomial, 1.3, 0.5, True, alpha=ALPHA),
        case("zero_inflated_binomial", _binomial, -0.3, 0.7, False),
        case("zero_inflated_beta_binomial", _beta_binomial, 0.0, 0.7, False, kappa=PHI),
        case("hurdle_poisson", _poisson, 0.7, 0.5, False),
        case("hurdle_negbinomial", _negbinomial, 1.3, 0.5, True, alpha=ALPHA),
        case("hurdle_gamma", _gamma, 1.0, 0.7, True, alpha=ALPHA),
        case("hurdle_lognormal", _lognormal, 1.0, 0.7, False, sigma=SIGMA),
    )
}


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", CASES)
def test_intervals_hold_what_made_the_data(name):
    assert_intervals_hold(CASES[name], seed=3)
