"""Families of counts: poisson and negbinomial."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from hiermod.data.columns.responses import LARGEST, ResponseRows, TrialsRows
from hiermod.errors import DataError
from hiermod.families.links import LOG
from hiermod.families.names import LINKS
from hiermod.families.ops import Ops, bounded_exp, rise
from hiermod.families.record import Chances, Family, Linear, Parameter, first_wrong, overdispersion

LARGEST_MEAN = 9e18  # of a count that NumPy draws; larger ones scatter by less than their digits show
HUGE = 1e300


def take_counts(name: str, response: ResponseRows) -> None:
    """Refuse what is no count."""
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


def log_total(ops: Ops, total: Any, exposure: Any, mu: Linear) -> Any:
    """The Poisson log density of a count, or of the sum of counts over several units of exposure."""
    return total * (mu.eta + ops.log(exposure)) - exposure * bounded_exp(ops, mu.eta) - ops.gammaln(total + 1.0)


def _poisson(ops: Ops, response: Any, mu: Linear) -> Any:
    return log_total(ops, response[0], ops.const(1.0), mu)


def _negbinomial(ops: Ops, response: Any, mu: Linear, alpha: Any) -> Any:
    """A count of mean ``mu = exp(eta)`` and variance ``mu + mu²/alpha``."""
    count = response[0]
    excess = ops.softplus(mu.eta - ops.log(alpha))  # log(1 + mu/alpha)
    return count * (mu.eta - excess) - alpha * excess + rise(ops, alpha, count) - ops.gammaln(count + 1.0)


def _poisson_cdf(response: Any, mu: Linear) -> Chances:
    count, mean = response[0], mu.link.inverse(mu.eta)
    below = np.where(np.equal(count, 0.0), 0.0, special.pdtr(np.maximum(count - 1.0, 0.0), mean))
    return below, special.pdtr(count, mean)


def _negbinomial_cdf(response: Any, mu: Linear, alpha: Any) -> Chances:
    count, mean = response[0], mu.link.inverse(mu.eta)
    share = alpha / (alpha + mean)
    below = np.where(np.equal(count, 0.0), 0.0, special.betainc(alpha, np.maximum(count, 1.0), share))
    return below, special.betainc(alpha, count + 1.0, share)


def _poisson_variance(mean: Any) -> Any:
    return mean


def _negbinomial_variance(mean: Any, alpha: Any) -> Any:
    return mean + mean**2 / alpha


def _draw(rng: np.random.Generator, shape: Any, mean: Any, _: Any) -> np.ndarray:
    drawn = rng.poisson(np.minimum(mean, LARGEST_MEAN), shape).astype(float)
    return np.where(mean > LARGEST_MEAN, mean, drawn)


def _draw_negbinomial(rng: np.random.Generator, shape: Any, mean: Any, trials: Any, alpha: Any) -> np.ndarray:
    return _draw(rng, shape, np.minimum(mean, HUGE) * rng.standard_gamma(alpha, shape) / alpha, trials)


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
FAMILIES = (POISSON, NEGBINOMIAL)
