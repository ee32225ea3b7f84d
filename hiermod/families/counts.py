"""Families of counts: poisson, negbinomial, geometric, nbinom1 and genpois."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from hiermod.data.columns.responses import LARGEST, ResponseRows, TallyRows, TrialsRows
from hiermod.errors import DataError
from hiermod.families.links import LOG
from hiermod.families.names import LINKS
from hiermod.families.ops import NUMPY, Ops, bounded_exp, rise
from hiermod.families.record import Chances, Family, Linear, Parameter, ResponseScale, first_wrong, overdispersion
from hiermod.priors.distributions import Prior

LARGEST_MEAN = 9e18  # of a count that NumPy draws; larger ones scatter by less than their digits show
FINITE = float(np.finfo(float).max)
FEW_GENERATIONS = 1e15  # larger means scatter by less than matters
HUGE = 1e300  # a larger mean scatters by less than its digits show, whatever the variance over it


def take_counts(name: str, response: ResponseRows) -> None:
    """Refuse what is no count."""
    assert not isinstance(response, TallyRows)  # which `choose_family` refuses
    if isinstance(response, TrialsRows):
        raise DataError(f"The family {name} takes one column of counts; for successes out of trials say 'binomial'.")
    if not response.whole:
        wrong = np.flatnonzero((response.values < 0) | (response.values != np.round(response.values)))
        raise DataError(
            f"Counts are whole numbers from 0 on; {response.name!r} holds {first_wrong(response, wrong)}. "
            "Sums by exposure are counts with offset(log(exposure)); other numbers need a family such as gaussian."
        )
    if (response.values > LARGEST).any():
        raise DataError(f"The counts in {response.name!r} are too large to be exact: {response.values.max():g}.")


def _log_mean(ops: Ops, mu: Linear) -> Any:
    """The logarithm of mu, by the identity link where there is one."""
    return mu.eta if mu.link.name == "log" else ops.log(mu.link.held(ops, mu.eta))


def log_total(ops: Ops, total: Any, exposure: Any, mu: Linear) -> Any:
    """The Poisson log density of a count, or of the sum of counts over several units of exposure."""
    log_mean = _log_mean(ops, mu)
    density = total * (log_mean + ops.log(exposure)) - exposure * bounded_exp(ops, log_mean) - ops.gammaln(total + 1.0)
    return mu.link.limited(ops, mu.eta, density)


def _poisson(ops: Ops, response: Any, mu: Linear) -> Any:
    return log_total(ops, response[0], ops.const(1.0), mu)


def _negbinomial(ops: Ops, response: Any, mu: Linear, alpha: Any) -> Any:
    """A count of mean ``mu = exp(eta)`` and variance ``mu + mu²/alpha``."""
    count, log_mean = response[0], _log_mean(ops, mu)
    excess = ops.softplus(log_mean - ops.log(alpha))  # log(1 + mu/alpha)
    density = count * (log_mean - excess) - alpha * excess + rise(ops, alpha, count) - ops.gammaln(count + 1.0)
    return mu.link.limited(ops, mu.eta, density)


def _geometric(ops: Ops, response: Any, mu: Linear) -> Any:
    """A count of mean ``mu = exp(eta)`` and variance ``mu + mu²``: negative binomial of shape 1."""
    count = response[0]
    return count * mu.eta - (count + 1.0) * ops.softplus(mu.eta)


def _nbinom1(ops: Ops, response: Any, mu: Linear, phi: Any) -> Any:
    """A count of mean ``mu = exp(eta)`` and variance ``mu (1 + phi)``: negative binomial of shape ``r = mu/phi``.

    Of ``r (r + 1) …``, as many factors as the count, the first is taken by its logarithm, since r may round to 0.
    """
    count = response[0]
    log_phi, log_more = ops.log(phi), ops.log1p(phi)
    shape, further = bounded_exp(ops, mu.eta - log_phi), ops.maximum(count - 1.0, 0.0)
    rising = mu.eta + further * (ops.log1p(shape) + log_phi) + rise(ops, 1.0 + shape, further)
    return ops.where(count > 0.0, rising, 0.0) - (shape + count) * log_more - ops.gammaln(count + 1.0)


def _genpois(ops: Ops, response: Any, mu: Linear, phi: Any) -> Any:
    """A count of mean ``mu = exp(eta)`` and variance ``mu (1 + phi)²`` (Consul and Jain 1973, Technometrics 15).

    It is of a Poisson generation and all its offspring, of which each has ``phi/(1 + phi)`` on average.
    """
    count, log_more = response[0], ops.log1p(phi)
    start = bounded_exp(ops, mu.eta - log_more)  # the mean of the first generation
    share = phi / (1.0 + phi)
    later = ops.where(count > 0.0, ops.maximum(count, 1.0) - 1.0, 0.0)
    all_of_them = start + ops.maximum(count, 1.0) * share
    rising = (mu.eta - log_more) + later * ops.log(all_of_them)
    return ops.where(count > 0.0, rising, 0.0) - start - count * share - ops.gammaln(count + 1.0)


def linear_overdispersion(_: ResponseScale) -> Prior:
    """The default prior of `phi`: it lets the data go to the Poisson limit at 0, and its tail falls as x^-4."""
    return Prior("HalfStudentT", (3.0, 2.5))


def _poisson_cdf(response: Any, mu: Linear) -> Chances:
    count, mean = response[0], mu.link.inverse(mu.eta)
    below = np.where(np.equal(count, 0.0), 0.0, special.pdtr(np.maximum(count - 1.0, 0.0), mean))
    return below, special.pdtr(count, mean)


def _negbinomial_cdf(response: Any, mu: Linear, alpha: Any) -> Chances:
    count, mean = response[0], mu.link.inverse(mu.eta)
    share = alpha / (alpha + mean)
    below = np.where(np.equal(count, 0.0), 0.0, special.betainc(alpha, np.maximum(count, 1.0), share))
    return below, special.betainc(alpha, count + 1.0, share)


def _geometric_cdf(response: Any, mu: Linear) -> Chances:
    count, log_more = response[0], -special.log_expit(mu.eta)  # log(1 + 1/mu)
    return -np.expm1(-count * log_more), -np.expm1(-(count + 1.0) * log_more)


def _nbinom1_cdf(response: Any, mu: Linear, phi: Any) -> Chances:
    return _negbinomial_cdf(response, mu, mu.link.inverse(mu.eta) / phi)


def _genpois_cdf(response: Any, mu: Linear, phi: Any) -> Chances:
    """Sums of the chances of counts."""
    counts = np.asarray(response[0])
    below = np.zeros(np.broadcast_shapes(np.shape(counts), np.shape(mu.eta), np.shape(phi)))
    up_to = below.copy()
    for count in range(int(np.nan_to_num(np.max(counts, initial=0.0))) + 1):
        chance = np.exp(_genpois(NUMPY, (np.float64(count),), mu, phi))
        below = below + np.where(counts > count, chance, 0.0)
        up_to = up_to + np.where(counts >= count, chance, 0.0)
    return np.minimum(below, 1.0), np.minimum(up_to, 1.0)


def _poisson_variance(mean: Any) -> Any:
    return mean


def _negbinomial_variance(mean: Any, alpha: Any) -> Any:
    return mean + mean**2 / alpha


def _geometric_variance(mean: Any) -> Any:
    return mean + mean**2


def _nbinom1_variance(mean: Any, phi: Any) -> Any:
    return mean * (1.0 + phi)


def _genpois_variance(mean: Any, phi: Any) -> Any:
    return mean * (1.0 + phi) ** 2


def _draw(rng: np.random.Generator, shape: Any, mean: Any, _: Any) -> np.ndarray:
    drawn = rng.poisson(np.minimum(mean, LARGEST_MEAN), shape).astype(float)
    return np.where(mean > LARGEST_MEAN, mean, drawn)


def _draw_negbinomial(rng: np.random.Generator, shape: Any, mean: Any, trials: Any, alpha: Any) -> np.ndarray:
    with np.errstate(over="ignore"):  # such draws are infinite, as those of infinite means are
        rate = np.minimum(mean, FINITE) * rng.standard_gamma(alpha, shape) / alpha
    return _draw(rng, shape, np.where(np.isinf(mean), mean, rate), trials)


def _draw_geometric(rng: np.random.Generator, shape: Any, mean: Any, trials: Any) -> np.ndarray:
    return _draw_negbinomial(rng, shape, mean, trials, 1.0)


def _draw_nbinom1(rng: np.random.Generator, shape: Any, mean: Any, trials: Any, phi: Any) -> np.ndarray:
    rate = phi * rng.standard_gamma(np.minimum(mean, HUGE) / phi, shape)
    return _draw(rng, shape, np.where(mean > HUGE, mean, rate), trials)


def offspring(rng: np.random.Generator, first: Any, share: Any) -> np.ndarray:
    """Those of a generation and all that come after it, each having `share` on average."""
    total = alive = np.asarray(first, dtype=float)
    while (alive > 0.0).any():
        alive = rng.poisson(np.minimum(alive * share, LARGEST_MEAN)).astype(float)
        total = total + alive
    return total


def _draw_genpois(rng: np.random.Generator, shape: Any, mean: Any, trials: Any, phi: Any) -> np.ndarray:
    first = _draw(rng, shape, np.minimum(mean / (1.0 + phi), LARGEST_MEAN), trials)
    drawn = offspring(rng, np.where(mean > FEW_GENERATIONS, 0.0, first), phi / (1.0 + phi))
    return np.where(mean > FEW_GENERATIONS, mean, drawn)


POISSON = Family(
    name="poisson", links=LINKS["poisson"], link=LOG, kind="count", parameters=(), statistic="count",
    check=take_counts, rated="mean", log_density=_poisson, cdf=_poisson_cdf, variance=_poisson_variance, draw=_draw,
    kernel="poisson", bambi="poisson", response="counts", latex=r"\operatorname{Poisson}(\mu_i)",
)  # fmt: skip
NEGBINOMIAL = Family(
    name="negbinomial", links=LINKS["negbinomial"], link=LOG, kind="count",
    parameters=(Parameter("alpha", "variance mu + mu²/alpha", "shape", overdispersion, True),), statistic="values",
    check=take_counts, rated="shape", log_density=_negbinomial, cdf=_negbinomial_cdf, variance=_negbinomial_variance,
    draw=_draw_negbinomial, kernel="negbinomial", bambi="negativebinomial",
    response="counts that vary more than chance", latex=r"\operatorname{NegBinomial}(\mu_i, \alpha)",
    words="With mean mu, its variance is mu + mu²/alpha.",
)  # fmt: skip
GEOMETRIC = Family(
    name="geometric", links=LINKS["geometric"], link=LOG, kind="count", parameters=(), statistic="values",
    check=take_counts, log_density=_geometric, cdf=_geometric_cdf, variance=_geometric_variance, draw=_draw_geometric,
    kernel="geometric", bambi=None, response="counts of failures before a success",
    latex=r"\operatorname{Geometric}(1 / (1 + \mu_i))", words="With mean mu, its variance is mu + mu².",
)  # fmt: skip
NBINOM1 = Family(
    name="nbinom1", links=LINKS["nbinom1"], link=LOG, kind="count",
    parameters=(Parameter("phi", "variance mu·(1 + phi)", "share of the mean", linear_overdispersion),),
    statistic="values", check=take_counts, log_density=_nbinom1, cdf=_nbinom1_cdf, variance=_nbinom1_variance,
    draw=_draw_nbinom1, kernel="nbinom1", bambi=None, response="counts whose variance is in proportion to their mean",
    latex=r"\operatorname{NegBinomial}(\mu_i, \mu_i / \phi)", words="With mean mu, its variance is mu·(1 + phi).",
)  # fmt: skip
GENPOIS = Family(
    name="genpois", links=LINKS["genpois"], link=LOG, kind="count",
    parameters=(Parameter("phi", "variance mu·(1 + phi)²", "share of the mean", linear_overdispersion),),
    statistic="values", check=take_counts, log_density=_genpois, cdf=_genpois_cdf, variance=_genpois_variance,
    draw=_draw_genpois, kernel=None, bambi=None, response="counts with a tail heavier than negative binomial",
    latex=r"\operatorname{GeneralizedPoisson}(\mu_i, \phi)", words="With mean mu, its variance is mu·(1 + phi)².",
)  # fmt: skip
FAMILIES = (POISSON, NEGBINOMIAL, GEOMETRIC, NBINOM1, GENPOIS)
